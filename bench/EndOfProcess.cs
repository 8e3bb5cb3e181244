using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Skein.Bench;

/// <summary>The moment at which the kernel says that a process has ended: its pidfd becomes readable.</summary>
sealed unsafe partial class EndOfProcess : IDisposable
{
    const nint OpenProcess = 434;   // pidfd_open, the same number on x64 and arm64
    const int Kill = 9;

    readonly int _id, _descriptor;
    readonly Thread _watcher;
    long _noticed;

    public EndOfProcess(int id)
    {
        _id = id;
        _descriptor = (int)SystemCall(OpenProcess, id, 0);
        if (_descriptor < 0)
            throw new InvalidOperationException($"process {id} cannot be watched: errno {Marshal.GetLastPInvokeError()}");
        _watcher = new(Watch) { IsBackground = true };
        _watcher.Start();
    }

    /// <summary>Kills it, and gives the kernel's notice in ticks of <see cref="Stopwatch"/> (the same clock in all processes).</summary>
    public long KillAndWait()
    {
        if (SendSignal(_id, Kill) != 0)
            throw new InvalidOperationException($"process {_id} cannot be killed: errno {Marshal.GetLastPInvokeError()}");
        _watcher.Join();
        return _noticed;
    }

    public void Dispose() => _ = Close(_descriptor);

    void Watch()
    {
        var wanted = new Wanted { Descriptor = _descriptor, Events = 1 };
        while (Poll(&wanted, 1, -1) < 0)
        {
        }

        _noticed = Stopwatch.GetTimestamp();
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Wanted
    {
        public int Descriptor;
        public short Events, Returned;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)] private static partial nint SystemCall(nint number, nint first, nint second);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)] private static partial int SendSignal(int id, int signal);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)] private static partial int Poll(Wanted* wanted, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)] private static partial int Close(int descriptor);
}
