namespace Skein.Tests.Child;

/// <summary>Many mobile processes that sleep, and nothing else in this program: what one takes.</summary>
public static class ParkedCase
{
    public static async Task<int> Run(int count)
    {
        var node = new MobileNode("parked");
        var before = Settled();
        var processes = new MobileProcess[count];
        for (var i = 0; i < count; i++)
            processes[i] = node.Start(static () => Here.Delay(TimeSpan.FromDays(30)));
        await processes[^1].CaptureAsync();
        while (ThreadPool.PendingWorkItemCount > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        Console.WriteLine($"{node.Count} {(Settled() - before) / count}");
        foreach (var process in processes)
            process.Kill();
        await Task.WhenAll(processes.Select(process => process.Completion.ContinueWith(static _ => { }, TaskScheduler.Default)));
        Console.WriteLine($"{node.Count}");
        return 0;
    }

    static long Settled()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
