using System.Runtime.CompilerServices;

namespace Skein.Tests;

/// <summary>What a process that is a thread leaves, and what it cannot hold up.</summary>
public class ThreadProcessTests
{
    [Fact]
    public async Task A_token_that_lives_longer_than_a_process_does_not_keep_it()
    {
        using var longer = new CancellationTokenSource();
        var argument = await RunAsync(longer.Token);
        await Limits.Until(() => !IsKept(argument), "the argument to be collected");
    }

    [Fact]
    public async Task What_a_function_has_registered_and_throws_holds_up_neither_its_time_out_nor_its_stop()
    {
        var released = new TaskCompletionSource();
        await using var slow = await Place.Thread.StartAsync(async () =>
        {
            Here.Stopping.Register(Throw);
            await released.Task;
            return 1;
        }, new() { TimeLimit = Limits.Seconds(0.1), Grace = TimeSpan.FromMilliseconds(50) }).Within();
        var late = await Assert.ThrowsAsync<TimeoutException>(() => slow.Completion.Within());
        Assert.Contains(slow.Id, late.Message, StringComparison.Ordinal);   // and not that of our own limit
        released.SetResult();
        Assert.Equal(ExitCause.TimedOut, (await slow.Exited.Within()).Cause);

        var registered = new TaskCompletionSource();
        await using var listening = await Place.Thread.StartAsync(async () =>
        {
            Here.Stopping.Register(Throw);
            registered.SetResult();
            await Task.Delay(Timeout.Infinite, Here.Stopping);
        }).Within();
        await registered.Task.Within();
        await listening.StopAsync(Limits.Seconds(5)).Within(20);
        Assert.Equal(ProcessState.Exited, listening.State);
    }

    static void Throw() => throw new FormatException("on purpose");

    // Apart, so that nothing of the test refers to what it made.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static async Task<WeakReference> RunAsync(CancellationToken cancellation)
    {
        var argument = new object();
        await using var process = await Place.Thread.StartAsync(static (object given) => given.GetHashCode(), argument, cancellation: cancellation).Within();
        await process.Completion.Within();
        await process.Exited.Within();
        return new(argument);
    }

    static bool IsKept(WeakReference one)
    {
        GC.Collect();
        return one.IsAlive;
    }
}
