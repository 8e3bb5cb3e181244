using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// While the first worker of a process starts, which takes its runtime some 25 ms, this process loads and compiles what the first call
/// will need. On another thread: it must hold up nobody.
/// </summary>
[SupportedOSPlatform("linux")]
static class WarmUp
{
    static int _begun;

    public static void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static _ => TryRun(), null);
    }

    static void TryRun()
    {
        try
        {
            Run();
        }
        catch (Exception)
        {
            // What cannot be done here cannot be done for the first call either, which says so.
        }
    }

    static void Run()
    {
        var writer = new GraphWriter(new GraphSession());
        var reader = new GraphReader(new GraphSession());
        writer.Begin();
        writer.WriteText("");
        writer.Write<Job>(new ActionJob(static () => { }));
        reader.Begin(writer.Written.ToArray(), 0, writer.Written.Length);
        reader.ReadText();
        reader.Read<Job>();
        reader.End();
        var item = new WorkItem<Nothing>(new ActionJob(static () => { }));
        item.Cancel(new(canceled: true));
    }
}
