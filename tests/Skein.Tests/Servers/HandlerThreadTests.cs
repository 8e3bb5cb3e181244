namespace Skein.Tests.Servers;

/// <summary>Threads of a server come and go; what handlers have left does not go with them.</summary>
public class HandlerThreadTests
{
    [Fact]
    public async Task What_goes_on_after_its_thread_has_ended_goes_on_in_the_thread_pool()
    {
        using var threads = new HandlerThreads(ServerModel.Threaded);
        var thread = new HandlerThread(threads, number: 1, first: null);
        thread.Start();
        thread.End();
        await Limits.Until(() => thread.IsOver, "the thread to end");

        var (posted, scheduled) = (new TaskCompletionSource<bool>(), new TaskCompletionSource<bool>());
        thread.Post(_ => posted.SetResult(Thread.CurrentThread.IsThreadPoolThread), null);
        thread.Schedule(_ => scheduled.SetResult(Thread.CurrentThread.IsThreadPoolThread), null);
        Assert.True(await posted.Task.Within());
        Assert.True(await scheduled.Task.Within());
    }
}
