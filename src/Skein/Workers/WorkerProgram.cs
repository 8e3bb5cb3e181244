using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Skein;

/// <summary>
/// What runs in a worker in place of the application's <c>Main</c>: takes calls from its parent, one at a time, and executes them on this
/// thread. A second thread listens to what must reach a worker that is busy, and to the parent's end.
/// </summary>
abstract class WorkerProgram
{
    readonly WorkerOutbox _outbox;
    readonly WorkerReferences _references;
    readonly GraphReader _reader = new(new GraphSession());
    CancellationTokenSource? _stopping;   // made when the running call asks for it
    int _slot = -1, _item = -1;           // what runs: a call, and which item of it if it is a chunk
    StoppedCall? _stopped;

    protected WorkerProgram(string id, WorkerLink link)
    {
        Id = id;
        _outbox = new(link);
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
                if (_slot < 0)
                    return new(canceled: true);   // a call has left this code behind: its time is over
                _stopping ??= new();
                if (_stopped?.Means(_slot, _item) == true)
                    _stopping.Cancel();
                return _stopping.Token;
            }
        }
    }

    /// <summary>A call could not be read: nothing that follows can be.</summary>
    protected bool IsBroken { get; private set; }

    protected WorkerOutbox Outbox => _outbox;

    protected WorkerReferences References => _references;

    /// <summary>Loads and compiles what such a job will need. In the function of a call.</summary>
    public void Rehearse(Job job) => job.Rehearse(new(_outbox, 0, Stopwatch.GetTimestamp(), isRehearsal: true));

    /// <summary>Serves the parent until it says so or has died. Never returns.</summary>
    [SuppressMessage("ApiDesign", "RS0030", Justification = "A startup hook cannot return an exit code: returning would start Main.")]
    protected void Run()
    {
        Current = this;
        new Thread(WatchParent, 256 * 1024) { IsBackground = true, Name = "skein-watch" }.Start();
        var (module, version) = ModuleCheck.Entry();
        _outbox.SendReady(module, version);
        Serve();
        Environment.Exit(IsBroken ? 70 : 0);
    }

    /// <summary>Takes calls until there are no more.</summary>
    protected abstract void Serve();

    /// <summary>Hears the parent as long as it lives; then ends this process with all that it has started.</summary>
    protected abstract void WatchParent();

    /// <summary>What is asked to stop from now on, by this slot, is this call.</summary>
    protected void Begin(int slot)
    {
        lock (_references)
        {
            _slot = slot;
            _item = -1;
            _stopping = null;
            if (_stopped?.Slot != slot)
                _stopped = null;   // of one that had ended by then: slots take turns, so it is of none that comes soon
        }
    }

    /// <summary>A chunk is at another item: what was asked of the one before is not asked of this one.</summary>
    public void StartItem(int item)
    {
        Volatile.Write(ref _item, item);
        if (_stopping is null)
            return;   // nobody has asked for the token yet, and whoever will gets one that fits: so this costs nothing
        lock (_references)
        {
            if (_stopped is { Item: >= 0 })
                _stopping = null;
        }
    }

    /// <summary>Executes a call; one that was taken back is only read.</summary>
    protected void Execute(ArraySegment<byte> message, long started, bool isWanted = true)
    {
        var reply = new Reply(_outbox, message[1], started);
        try
        {
            // A call that was taken back is read all the same: it may describe types that later calls only name.
            var job = Read(message, out var trace);
            if (isWanted)
            {
                _reader.Finish();   // runs code of the application's (the hashing of keys): a part of the function
                Execute(job, reply, trace);
            }
        }
        catch (Exception error)
        {
            if (isWanted)
                reply.Fail(error);
        }
    }

    protected void EndOfCall()
    {
        lock (_references)
        {
            if (_stopped?.Slot == _slot)
                _stopped = null;   // the next call may have been sent already, and asked to stop
            _slot = -1;
            _stopping = null;
        }

        _references.EndOfCall();
    }

    /// <summary>A message beside the calls. False when it is none that every kind of connection has.</summary>
    protected bool TryControl(WorkerFrame kind, int number, bool more, ReadOnlySpan<byte> rest)
    {
        switch (kind)
        {
            case WorkerFrame.Cancel:
                _references.Cancel(number);
                return true;
            case WorkerFrame.StopCall:
                Stop(StoppedCall.Of(number));
                return true;
            case WorkerFrame.Answer:
                _references.Answer(number, more, rest);
                return true;
            default:
                return false;
        }
    }

    Job Read(ArraySegment<byte> message, out string trace)
    {
        // If a call cannot be read, what it would have described is missing: this worker cannot go on.
        IsBroken = true;
        _reader.Begin(message.Array!, message.Offset + 2, message.Count - 2);
        trace = _reader.ReadText();
        var job = _reader.Read<Job>();
        _reader.End();
        IsBroken = false;
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

    void Stop(StoppedCall stopped)
    {
        CancellationTokenSource? source;
        lock (_references)
        {
            if (_stopped is not { Item: < 0 } whole || whole.Slot != stopped.Slot)
                _stopped = stopped;
            source = stopped.Means(_slot, _item) ? _stopping : null;
        }

        source?.CancelAsync();
    }
}
