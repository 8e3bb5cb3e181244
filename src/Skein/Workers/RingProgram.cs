using System.Diagnostics;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A worker whose calls come through a ring of shared memory, and all else through a socket beside it.</summary>
/// <remarks>
/// A starting worker pays for each piece of code it touches (System.Net.Sockets 13 ms, Console 9 ms), so it reads and writes shared
/// memory and one raw socket, and loads nothing else before its first job.
/// </remarks>
[SupportedOSPlatform("linux")]
sealed class RingProgram : WorkerProgram
{
    static readonly TimeSpan IdleBeforeTrim = TimeSpan.FromSeconds(1);

    readonly WorkerMemory _memory;
    readonly RingReceiver _receiver;
    readonly int _control;
    bool _hasRun;
    long _lastRun;

    RingProgram(WorkerMemory memory, int control, string id) : base(id, new RingLink(memory))
    {
        _memory = memory;
        _control = control;
        _receiver = new(memory.Calls);
    }

    /// <summary>Serves the parent until it says so or has died. Never returns.</summary>
    public static void Run(int memory, int control, string id)
    {
        WorkerSignals.OutliveHangUp();
        new RingProgram(WorkerMemory.Open(memory), control, id).Run();
    }

    protected override void Serve()
    {
        var spin = new SpinPolicy();
        while (!IsBroken)
        {
            if (_receiver.TryReceive(out var message, out var isOver))
                Handle(message);
            else if (isOver)
                return;
            else if (!spin.Look(_memory.Calls))
                Sleep();
        }
    }

    // A worker that idles gives back what it does not need, once: the first second's garbage is most of what it holds.
    void Sleep()
    {
        _memory.Calls.SleepUntilReadable(_hasRun ? IdleBeforeTrim : null);
        if (!_hasRun || _memory.Calls.IsReadable || _memory.Calls.IsClosed || Stopwatch.GetElapsedTime(_lastRun) < IdleBeforeTrim)
            return;
        _hasRun = false;
        _receiver.Trim();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    void Handle(ArraySegment<byte> message)
    {
        var number = message[1];
        ref var state = ref _memory.Slot(number);
        var mine = Interlocked.CompareExchange(ref state, SlotState.Running, SlotState.Queued) == SlotState.Queued;
        var started = Stopwatch.GetTimestamp();
        if (mine)
        {
            Begin(number);
            _memory.StartedAt = started;
            _memory.RunningItem = -1;
            _memory.RunningSlot = number;
        }

        Execute(message, started, mine);
        _memory.RunningSlot = WorkerMemory.None;
        _hasRun = true;
        _lastRun = Stopwatch.GetTimestamp();
        EndOfCall();
        if (!mine)
            Volatile.Write(ref state, SlotState.Free);
    }

    protected override void WatchParent()
    {
        using var socket = new DescriptorSocket(_control);
        var buffer = new byte[DescriptorSocket.MaxMessage];
        while (socket.Receive(buffer, out var descriptor) is > 0 and var length)
        {
            var message = buffer.AsSpan(0, length);
            var (kind, number, more) = ControlSender.Parse(message);
            if (TryControl(kind, number, more, ControlSender.Rest(message)))
                continue;
            switch (kind)
            {
                case WorkerFrame.Descriptor:
                    References.Arrived(number, descriptor);
                    break;
                case WorkerFrame.Forget:
                    References.Unmap(number);
                    break;
                case WorkerFrame.End:
                    _memory.Calls.Close();
                    break;
            }
        }

        EndWithParent();
    }

    // The parent has died, however it died. What this process started must not outlive it either: they share its process group.
    static void EndWithParent()
    {
        if (Descendants.OwnMarker is { } marker)
            Descendants.KillAll(marker);
        RuntimeFiles.Remove(Environment.ProcessId, Path.GetTempPath());   // nobody is left to do it afterwards
        WorkerSignals.KillGroup();
    }
}
