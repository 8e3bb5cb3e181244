using System.Collections.Concurrent;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The parent's side of what stays with the parent while a job refers to it: tokens, progress, callbacks. Each has a number; the job's
/// entries go when the job has ended.
/// </summary>
sealed class ParentReferences(ControlSender control, OrderedQueue deliveries) : DescriptorCarrier
{
    readonly ConcurrentDictionary<int, object> _targets = new();
    readonly HashSet<object> _blocks = [];       // SharedBlock, where there is such a thing
    readonly List<object> _introduced = [];      // by the message that is being written
    readonly List<Action> _whenSent = [];
    int _last;

    /// <summary>Whose message is being written; the connection's sending lock is held.</summary>
    WorkItem? Owner { get; set; }

    public int Add(object target)
    {
        var number = Interlocked.Increment(ref _last);
        if (target is ProgressTarget progress && Owner is not null)
        {
            progress.Owner = Owner;
            Owner.References.Reports = deliveries;
        }

        _targets[number] = target;
        Owner?.References.Add(new Entry(this, number, null));
        return number;
    }

    /// <summary>A token that, when it is cancelled here, is cancelled there.</summary>
    public int Add(CancellationToken token)
    {
        var number = Interlocked.Increment(ref _last);
        var registration = token.UnsafeRegister(_ => control.Send(WorkerFrame.Cancel, number), null);
        Owner?.References.Add(new Entry(this, number, registration));
        return number;
    }

    /// <summary>Starts a message; the connection's sending lock is held until it was sent.</summary>
    public void Begin(WorkItem owner)
    {
        Owner = owner;
        _introduced.Clear();
        _whenSent.Clear();
        HaveGoneAhead = false;
    }

    /// <summary>Whether something of the message has gone its own way already.</summary>
    public bool HaveGoneAhead { get; private set; }

    /// <summary>The message was sent: what was handed over with it is not ours any more.</summary>
    public void Sent()
    {
        foreach (var action in _whenSent)
            action();
        _whenSent.Clear();
    }

    public override void WhenSent(Action action) => _whenSent.Add(action);

    /// <summary>Whether something is handed over with the message that was written.</summary>
    public bool HandsOver => _whenSent.Count > 0;

    /// <summary>The message will not be sent.</summary>
    public void Abandon()
    {
        lock (_blocks)
        {
            foreach (var block in _introduced)
                _blocks.Remove(block);
        }
    }

    /// <summary>True when the worker does not know the block yet: then its descriptor must go along.</summary>
    [SupportedOSPlatform("linux")]
    public bool Introduce(SharedBlock block)
    {
        lock (_blocks)
        {
            if (!_blocks.Add(block))
                return false;
        }

        _introduced.Add(block);
        block.Introduce(this);
        return true;
    }

    /// <summary>The block will not be used again: the worker may unmap it.</summary>
    [SupportedOSPlatform("linux")]
    public void Forget(SharedBlock block)
    {
        lock (_blocks)
            _blocks.Remove(block);
        control.Send(WorkerFrame.Forget, block.Number);
    }

    /// <summary>Keeps a lease from being reused until the job that got it has ended.</summary>
    public void Retain(Lease lease)
    {
        lease.Retain();
        Owner?.References.Add(new Retained(lease));
    }

    /// <summary>The worker is gone.</summary>
    [SupportedOSPlatform("linux")]
    public void Close()
    {
        lock (_blocks)
        {
            foreach (SharedBlock block in _blocks)
                block.Forget(this);
            _blocks.Clear();
        }
    }

    public object? Find(int number) => _targets.GetValueOrDefault(number);

    public override bool CarriesDescriptors => control.CarriesDescriptors;

    public override int Attach(int descriptor)
    {
        var number = Interlocked.Increment(ref _last);
        HaveGoneAhead = true;
        control.SendDescriptor(number, descriptor);
        return number;
    }

    public override int Take(int number) => throw new InvalidDataException("A worker sent a descriptor, which it has no way to do.");

    sealed class Retained(Lease lease) : IDisposable
    {
        public void Dispose() => lease.Release();
    }

    sealed class Entry(ParentReferences references, int number, IDisposable? registration) : IDisposable
    {
        public void Dispose()
        {
            registration?.Dispose();
            references._targets.TryRemove(number, out _);
        }
    }
}

/// <summary>What a job refers to, until it has ended.</summary>
sealed class ReferenceList
{
    /// <summary>By which its reports are delivered; null when it makes none. Its end comes after them, the same way.</summary>
    public OrderedQueue? Reports { get; set; }

    readonly Lock _gate = new();   // it may be cancelled while it is being sent
    List<IDisposable>? _entries;

    public void Add(IDisposable entry)
    {
        lock (_gate)
            (_entries ??= []).Add(entry);
    }

    public void Clear()
    {
        List<IDisposable>? entries;
        lock (_gate)
        {
            Reports = null;
            entries = _entries;
            _entries = null;
        }

        foreach (var entry in entries ?? [])
            entry.Dispose();
    }
}

/// <summary>The worker's side: the stand-ins for what stayed with the parent.</summary>
sealed class WorkerReferences(WorkerOutbox outbox) : DescriptorCarrier
{
    readonly Lock _gate = new();
    readonly Dictionary<int, CancellationTokenSource> _tokens = [];
    readonly HashSet<int> _cancelledEarly = [];
    readonly Dictionary<int, int> _descriptors = [];
    readonly Dictionary<int, TaskCompletionSource<byte[]>> _requests = [];
    readonly Dictionary<int, List<byte[]>> _pieces = [];
    readonly Dictionary<int, object> _mapped = [];
    int _lastRequest, _lastToken;

    public CancellationToken Token(int number)
    {
        lock (_gate)
        {
            _lastToken = Math.Max(_lastToken, number);
            if (_cancelledEarly.Remove(number))
                return new(canceled: true);
            if (!_tokens.TryGetValue(number, out var source))
                _tokens[number] = source = new();
            return source.Token;
        }
    }

    public void Cancel(int number)
    {
        CancellationTokenSource? source;
        lock (_gate)
        {
            if (!_tokens.TryGetValue(number, out source))
                _cancelledEarly.Add(number);
        }

        source?.CancelAsync();   // the functions that were registered run on the pool, not on the thread that watches the parent
    }

    /// <summary>Which call runs, for what is made for it.</summary>
    public int Call => outbox.Call;

    /// <summary>A report of a call that has ended is nobody's any more.</summary>
    public void Report<T>(int call, int number, T value) => outbox.SendDuring(call, WorkerFrame.Progress, number, 0, value);

    public Task<byte[]> CallAsync<T>(int call, int number, T argument)
    {
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        int request;
        lock (_gate)
        {
            request = ++_lastRequest;
            _requests[request] = answer;
        }

        try
        {
            if (!outbox.SendDuring(call, WorkerFrame.Callback, number, (ulong)request, argument))
                throw new InvalidOperationException("The task that was given this callback has ended: call it, and await it, before.");
        }
        catch
        {
            lock (_gate)
                _requests.Remove(request);
            throw;
        }

        return answer.Task;
    }

    public void Answer(int request, bool more, ReadOnlySpan<byte> piece)
    {
        TaskCompletionSource<byte[]>? waiting;
        byte[] whole;
        lock (_gate)
        {
            if (more || _pieces.ContainsKey(request))
            {
                if (!_pieces.TryGetValue(request, out var pieces))
                    _pieces[request] = pieces = [];
                pieces.Add(piece.ToArray());
                if (more)
                    return;
                whole = [.. pieces.SelectMany(part => part)];
                _pieces.Remove(request);
            }
            else
            {
                whole = piece.ToArray();
            }

            if (!_requests.Remove(request, out waiting))
                return;
        }

        waiting.TrySetResult(whole);
    }

    /// <summary>Tokens live as long as the call that brought them.</summary>
    public void EndOfCall()
    {
        lock (_gate)
        {
            if (_tokens.Count > 0)
                _tokens.Clear();
            if (_cancelledEarly.Count > 0)
                _cancelledEarly.RemoveWhere(number => number <= _lastToken);   // later ones are of calls still to come
        }
    }

    [SupportedOSPlatform("linux")]
    public void Map(int number, MemoryRegion region)
    {
        lock (_mapped)
            _mapped[number] = region;
        region.CloseDescriptor();
    }

    [SupportedOSPlatform("linux")]
    public MemoryRegion Mapped(int number)
    {
        lock (_mapped)
            return (MemoryRegion?)_mapped.GetValueOrDefault(number) ?? throw new InvalidDataException($"Block {number} was never introduced.");
    }

    /// <summary>The collector unmaps it when no lease refers to it any more.</summary>
    public void Unmap(int number)
    {
        lock (_mapped)
            _mapped.Remove(number);
    }

    public void Arrived(int number, int descriptor)
    {
        lock (_descriptors)
        {
            _descriptors[number] = descriptor;
            Monitor.PulseAll(_descriptors);
        }
    }

    public override int Attach(int descriptor) => throw new NotSupportedException("A worker cannot send a descriptor to its parent.");

    // A descriptor travels by another way than the message that names it and may come a moment later.
    public override int Take(int number)
    {
        lock (_descriptors)
        {
            int descriptor;
            while (!_descriptors.Remove(number, out descriptor))
                Monitor.Wait(_descriptors);
            return descriptor;
        }
    }
}
