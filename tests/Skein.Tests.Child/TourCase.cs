using System.Globalization;

namespace Skein.Tests.Child;

/// <summary>Visits nodes that may differ, with some of everything in its locals.</summary>
public static class TourCase
{
    public static async Mobile<string> Visit(string[] nodes)
    {
        var visits = new SortedDictionary<string, (int Process, double Root)>();
        var started = Here.Delay(TimeSpan.FromMilliseconds(1));
        foreach (var (node, number) in nodes.Select((node, place) => (node, place + 2)))
        {
            await Here.MoveTo(node);
            visits[node] = (Environment.ProcessId, Math.Sqrt(number) * number / 3);
        }
        await started;
        return string.Create(CultureInfo.InvariantCulture, $"{visits.Values.Select(visit => visit.Process).Distinct().Count()} processes, {visits.Values.Sum(visit => visit.Root):R}");
    }

    /// <summary>What comes out of a visit of these nodes, wherever it is computed.</summary>
    public static string Expected(int nodes) => string.Create(
        CultureInfo.InvariantCulture, $"{nodes} processes, {Enumerable.Range(2, nodes).Sum(number => Math.Sqrt(number) * number / 3):R}");
}
