using System.Globalization;

namespace Skein.Tests.Handover;

/// <summary>
/// A model checker drives the product's own nodes, sessions and hand-overs through schedules that chance makes, in virtual time. The seed of one
/// that fails is printed; <c>SKEIN_TEST_HANDOVER=SEED</c> plays it again.
/// </summary>
public class HandoverModelTests
{
    [Fact]
    public void Whatever_is_cut_or_crashes_a_process_runs_at_one_node_at_most_and_at_one_when_all_is_healed()
    {
        var (first, count) = Environment.GetEnvironmentVariable("SKEIN_TEST_HANDOVER") is { Length: > 0 } given
            ? (int.Parse(given, CultureInfo.InvariantCulture), 1)
            : (new Random().Next(), Limits.Long ? 1_000_000 : 10_000);
        for (var i = 0; i < count; i++)
        {
            var failure = Model.Run(unchecked(first + i));
            Assert.True(failure is null, failure);
        }
    }
}
