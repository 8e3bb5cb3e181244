using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Skein.Tests.LongestFirst))]

namespace Skein.Tests;

/// <summary>The model checker runs beside all others; begun last, it would run alone.</summary>
sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections) where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(static one => one.TestCollectionDisplayName.Contains(nameof(Handover.HandoverModelTests), StringComparison.Ordinal) ? 0 : 1).ThenBy(static one => one.UniqueID, StringComparer.Ordinal)];
}
