using System.Text.RegularExpressions;

namespace Skein.Tests.Structure;

/// <summary>docs/promises.md is true. That the tests it names were not skipped is seen by <c>./check</c>, after the run.</summary>
public partial class PromiseTests
{
    [Fact]
    public void Each_promise_names_a_test_that_exists()
    {
        var rows = File.ReadLines(Repository.At("docs/promises.md"))
            .Where(line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal) && !line.StartsWith("| Promise", StringComparison.Ordinal))
            .ToArray();
        Assert.NotEmpty(rows);
        Assert.Equal([], rows.Where(row => !NamedTest().IsMatch(row)));

        var named = rows.SelectMany(row => NamedTest().Matches(row)).Select(test => test.Groups[1].Value).Distinct();
        Assert.Equal([], named.Except(Tests()));
    }

    // A promise may name the case of a conformance suite, which is in an abstract class.
    static IEnumerable<string> Tests() =>
        from type in typeof(PromiseTests).Assembly.GetTypes()
        from method in type.GetMethods()
        where method.IsDefined(typeof(FactAttribute), inherit: true)
        select $"{method.DeclaringType!.Name}.{method.Name}";

    [GeneratedRegex(@"`([A-Za-z]\w+\.[A-Za-z]\w+)`")] private static partial Regex NamedTest();
}
