using System.Collections.Concurrent;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

// The models that the cases hold for: one joins by a line.

[SupportedOSPlatform("linux")]
public class IterativeStreamTests() : StreamModelCases(ServerModel.Iterative);

[SupportedOSPlatform("linux")]
public class ThreadedStreamTests() : StreamModelCases(ServerModel.Threaded);

[SupportedOSPlatform("linux")]
public class DispatcherStreamTests() : StreamModelCases(ServerModel.Dispatcher(threads: 3, queue: 4));

[SupportedOSPlatform("linux")]
public class EventLoopStreamTests() : StreamModelCases(ServerModel.EventLoop);

[SupportedOSPlatform("linux")]
public class PreforkStreamTests : StreamModelCases
{
    // Each case starts two processes, which is most of its time.
    static readonly string[] Quick =
    [
        nameof(As_many_handlers_run_at_a_time_as_the_model_says_and_the_table_shows_them),
        nameof(Clients_that_come_talk_and_leave_as_they_like_leave_nothing_behind),
        nameof(Stopping_ends_at_its_deadline_and_cancels_what_is_left_and_no_thread_remains),
    ];

    public PreforkStreamTests()
        : base(ServerModel.Prefork(2)) =>
        Assert.SkipUnless(Limits.Long || Quick.Contains(TestContext.Current.TestMethod!.MethodName), "starts processes: in --long");
}

/// <summary>The threads of handlers in this process; those in others end with them.</summary>
sealed class ThreadsHere
{
    [Transient] readonly ConcurrentBag<Thread>? _threads = [];

    public bool HaveEnded => _threads!.All(thread => !thread.IsAlive);

    public void Add() => _threads?.Add(Thread.CurrentThread);
}
