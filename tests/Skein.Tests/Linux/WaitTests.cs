using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein.Tests;

/// <summary>A wait for a descriptor ends when that is ready or its time is over, and for nothing else.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class WaitTests
{
    const int WindowChanged = 28;   // SIGWINCH: nobody minds it

    [Fact]
    public async Task A_signal_does_not_end_a_wait()
    {
        var (here, there) = SocketCalls.Pair(SocketCalls.SequencedPacket);
        try
        {
            var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => handled.TrySetResult());
            var (socket, thread) = (here, 0);
            var waiting = Task.Factory.StartNew(
                () =>
                {
                    Assert.False(SocketCalls.IsReadableWithin(socket, 0));
                    Volatile.Write(ref thread, OwnThread());
                    return SocketCalls.IsReadableWithin(socket, (int)Limits.Seconds(30).TotalMilliseconds);
                }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await Limits.Until(() => Volatile.Read(ref thread) != 0 && IsAsleep(thread), "the thread to wait");

            Assert.Equal(0, Signal(Environment.ProcessId, thread, WindowChanged));
            await handled.Task.Within();   // so the call was interrupted
            Assert.Equal(1, SocketCalls.Send(there, [1]));
            Assert.True(await waiting.Within());
        }
        finally
        {
            Descriptor.Close(ref here);
            Descriptor.Close(ref there);
        }
    }

    static bool IsAsleep(int thread) => File.ReadAllText($"/proc/self/task/{thread}/stat").Contains(") S ", StringComparison.Ordinal);

    [LibraryImport("libc", EntryPoint = "gettid")] private static partial int OwnThread();

    [LibraryImport("libc", EntryPoint = "tgkill")] private static partial int Signal(int process, int thread, int signal);
}
