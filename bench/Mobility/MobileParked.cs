namespace Skein.Bench.Mobility;

/// <summary>
/// What a process takes that waits for a long time. Each figure comes from a program of its own: what an earlier round has left lowers the
/// difference that is measured.
/// </summary>
static class MobileParked
{
    /// <summary>The argument that makes this program the one whose processes sleep; their number follows.</summary>
    public const string Argument = "--parked";

    public static Experiment Memory(Scale scale) => new("mobile-parked", "memory of a process that sleeps for a month", Unit.Bytes,
    [
        new FreshProgram("Mobile", "Here.Delay, without further state; managed memory", Path.Combine(AppContext.BaseDirectory, "Skein.Bench"), Argument, $"{scale.Of(200_000)}"),
    ],
    [
        new("Mobile") { AtMost = 900 },
    ]);

    /// <summary>Runs in the fresh program.</summary>
    public static async Task<int> RunAsync(int count)
    {
        var node = new MobileNode("parked");
        var before = Settled();
        var processes = new MobileProcess[count];
        for (var i = 0; i < count; i++)
            processes[i] = node.Start(static () => Here.Delay(TimeSpan.FromDays(30)));
        await processes[^1].CaptureAsync();
        while (ThreadPool.PendingWorkItemCount > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        var each = (double)(Settled() - before) / count;
        await FreshProgram.TellAsync(each);
        return node.Count == count ? 0 : 70;
    }

    static long Settled()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
