using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// What runs in a worker in place of the application's <c>Main</c>: takes calls from the ring, one at a time, and executes them on this
/// thread. A second thread watches the parent.
/// </summary>
/// <remarks>
/// A starting worker pays for each piece of code it touches (System.Net.Sockets 13 ms, Console 9 ms), so it reads and writes shared
/// memory and one raw socket, and loads nothing else before its first job.
/// </remarks>
[SupportedOSPlatform("linux")]
sealed class WorkerProgram
{
    static readonly TimeSpan IdleBeforeTrim = TimeSpan.FromSeconds(1);

    readonly WorkerMemory _memory;
    readonly WorkerOutbox _outbox;
    readonly WorkerReferences _references;
    readonly GraphReader _reader = new(new GraphSession());
    readonly RingReceiver _receiver;
    CancellationTokenSource? _stopping;
    int _stoppingSlot = -1, _slot = -1;
    bool _broken, _hasRun;
    long _lastRun;

    WorkerProgram(int memory, string id)
    {
        Id = id;
        _memory = WorkerMemory.Open(memory);
        _receiver = new(_memory.Calls);
        _outbox = new(_memory.Results);
        _references = new(_outbox);
        _reader.Context = _references;
    }

    /// <summary>The program of this process if it is a worker.</summary>
    public static WorkerProgram? Current { get; private set; }

    public string Id { get; }

    /// <summary>Cancelled when the running call is asked to stop.</summary>
    public CancellationToken Stopping
    {
        get
        {
            lock (_references)
            {
                _stopping ??= new();
                if (_stoppingSlot == _slot)
                    _stopping.Cancel();
                return _stopping.Token;
            }
        }
    }

    /// <summary>Serves the parent until it says so or has died. Never returns.</summary>
    [SuppressMessage("ApiDesign", "RS0030", Justification = "A startup hook cannot return an exit code: returning would start Main.")]
    public static void Run(int memory, int control, string id)
    {
        var program = new WorkerProgram(memory, id);
        Current = program;
        Surrogates.Register();
        new Thread(() => program.WatchParent(control), 256 * 1024) { IsBackground = true, Name = "skein-watch" }.Start();
        var (module, version) = ModuleCheck.Entry();
        program._outbox.SendReady(module, version);
        program.Serve();
        Environment.Exit(program._broken ? 70 : 0);
    }

    /// <summary>Loads and compiles what such a job will need. In the function of a call.</summary>
    public void Rehearse(Job job) => job.Rehearse(new(_outbox, _memory, 0, Stopwatch.GetTimestamp(), isRehearsal: true));

    void Serve()
    {
        var spin = new SpinPolicy();
        while (!_broken)
        {
            if (_receiver.TryReceive(out var message))
                Handle(message);
            else if (_memory.Calls.IsClosed)
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
            lock (_references)
                _slot = number;
            _memory.StartedAt = started;
            _memory.RunningItem = -1;
            _memory.RunningSlot = number;
        }

        var reply = new Reply(_outbox, _memory, number, started);
        try
        {
            // A call that was taken back is read all the same: it may describe types that later calls only name.
            var job = Read(message, out var trace);
            if (mine)
            {
                _reader.Finish();   // runs code of the application's (the hashing of keys): a part of the function
                Execute(job, reply, trace);
            }
        }
        catch (Exception error)
        {
            if (mine)
                reply.Fail(error);
        }

        _memory.RunningSlot = WorkerMemory.None;
        _hasRun = true;
        _lastRun = Stopwatch.GetTimestamp();
        lock (_references)
        {
            _slot = -1;
            _stopping = null;
            _stoppingSlot = -1;
        }

        _references.EndOfCall();
        if (!mine)
            Volatile.Write(ref state, SlotState.Free);
    }

    Job Read(ArraySegment<byte> message, out string trace)
    {
        // If a call cannot be read, what it would have described is missing: this worker cannot go on.
        _broken = true;
        _reader.Begin(message.Array!, message.Offset + 2, message.Count - 2);
        trace = _reader.ReadText();
        var job = _reader.Read<Job>();
        _reader.End();
        _broken = false;
        return job;
    }

    static void Execute(Job job, in Reply reply, string trace)
    {
        if (trace.Length == 0)
            job.Execute(reply);
        else
            ExecuteTraced(job, reply, trace);
    }

    // Apart, so that System.Diagnostics.DiagnosticSource is loaded only when the caller traces.
    static void ExecuteTraced(Job job, in Reply reply, string trace)
    {
        using var activity = new Activity("skein.task").SetParentId(trace).Start();
        job.Execute(reply);
    }

    void WatchParent(int control)
    {
        using var socket = new DescriptorSocket(control);
        var buffer = new byte[DescriptorSocket.MaxMessage];
        while (socket.Receive(buffer, out var descriptor) is > 0 and var length)
        {
            var message = buffer.AsSpan(0, length);
            var (kind, number, more) = WorkerControl.Parse(message);
            switch (kind)
            {
                case WorkerFrame.Descriptor:
                    _references.Arrived(number, descriptor);
                    break;
                case WorkerFrame.Cancel:
                    _references.Cancel(number);
                    break;
                case WorkerFrame.StopCall:
                    Stop(number);
                    break;
                case WorkerFrame.Answer:
                    _references.Answer(number, more, WorkerControl.Rest(message));
                    break;
                case WorkerFrame.Forget:
                    _references.Unmap(number);
                    break;
                case WorkerFrame.End:
                    _memory.Calls.Close();
                    break;
            }
        }

        EndWithParent();
    }

    void Stop(int slot)
    {
        CancellationTokenSource? source;
        lock (_references)
        {
            _stoppingSlot = slot;
            source = _slot == slot ? _stopping : null;
        }

        source?.CancelAsync();
    }

    // The parent has died, however it died. What this process started must not outlive it either: they share its process group.
    static void EndWithParent()
    {
        if (Descendants.OwnMarker is { } marker)
            Descendants.KillAll(marker);
        RuntimeFiles.Remove(Environment.ProcessId, Path.GetTempPath());   // nobody is left to do it afterwards
        _ = WorkerSignals.Kill(0, WorkerSignals.SigKill);
    }
}

/// <summary>Ending the own process group.</summary>
[SupportedOSPlatform("linux")]
static partial class WorkerSignals
{
    public const int SigKill = 9;

    [LibraryImport("libc", EntryPoint = "kill")] public static partial int Kill(int process, int signal);
}
