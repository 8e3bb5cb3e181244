namespace Skein;

/// <summary>
/// What can interrupt a handler: a feature of its connection or request. An HTTP handler need not ask for it: <c>RequestAborted</c> is
/// the same token.
/// </summary>
/// <remarks>
/// Over streams, a handler that has asked for <see cref="Token"/> is told there, and its connection can go on; any other is told by
/// <c>ConnectionClosed</c>.
/// <code>
/// var interruption = connection.Features.Get&lt;Interruption&gt;()!;
/// try { await QueryAsync(sql, interruption.Token); }
/// catch (OperationCanceledException) when (interruption.Cause != InterruptionCause.ClientLeft) { interruption.Reset(); … }   // the next query
/// </code>
/// </remarks>
public sealed class Interruption
{
    readonly Lock _gate = new();
    readonly CancellationToken _left;
    readonly HandlerWatch _watch;
    readonly CancellationTokenRegistration _leaving;
    CancellationTokenSource _source;
    InterruptionCause? _cause;
    bool _isOver;

    /// <param name="watch">Looks after the handler until its end.</param>
    /// <param name="left">The client leaves.</param>
    internal Interruption(HandlerWatch watch, CancellationToken left)
    {
        (_left, _watch) = (left, watch);
        _source = CancellationTokenSource.CreateLinkedTokenSource(left);
        _leaving = left.UnsafeRegister(static watch => ((HandlerWatch)watch!).Expect(InterruptionCause.ClientLeft), watch);
        watch.Begin(this);
    }

    /// <summary>Cancelled by whatever interrupts the handler.</summary>
    public CancellationToken Token
    {
        get
        {
            lock (_gate)
            {
                IsTaken = true;
                return _source.Token;
            }
        }
    }

    /// <summary>What has interrupted the handler first; null: nothing has.</summary>
    public InterruptionCause? Cause
    {
        get
        {
            lock (_gate)
                return _cause ?? (_left.IsCancellationRequested ? InterruptionCause.ClientLeft : null);
        }
    }

    /// <summary>What another connection must show to interrupt this handler; send it to the client. Only over streams.</summary>
    /// <exception cref="InvalidOperationException">An HTTP client names its request itself: <c>Skein-Request-Id</c>.</exception>
    public CancelKey Key => OwnKey?.Value ?? throw new InvalidOperationException("An HTTP client names its request itself, by the header Skein-Request-Id.");

    /// <summary>Interrupts the handler of another connection of the same server. False: the key is of none. Only over streams.</summary>
    public bool TryCancel(CancelKey key) => CancelOther?.Invoke(key) ?? false;

    /// <summary>What was interrupted has ended, and what comes now has a token of its own. Nothing changes where the client has left.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            if (_isOver || _cause is null)
                return;
            _cause = null;
            _source.Dispose();
            _source = CancellationTokenSource.CreateLinkedTokenSource(_left);
        }

        _watch.Relax();
        _watch.Begin(this);
    }

    /// <summary>The handler listens here.</summary>
    internal bool IsTaken { get; private set; }

    /// <summary>Is told when it is interrupted, other than by the client's leaving.</summary>
    internal Action<Interruption>? Interrupted { get; init; }

    internal Lazy<CancelKey>? OwnKey { get; init; }

    internal Func<CancelKey, bool>? CancelOther { get; init; }

    /// <summary>False when it was interrupted before. Never runs code of the handler.</summary>
    internal bool Interrupt(InterruptionCause cause)
    {
        CancellationTokenSource source;
        lock (_gate)
        {
            if (_isOver || _cause is not null || _left.IsCancellationRequested)
                return false;
            _cause = cause;
            source = _source;
        }

        InterruptionMeter.Count(cause);
        _watch.Expect(cause);
        Interrupted?.Invoke(this);
        ThreadPool.UnsafeQueueUserWorkItem(_ => _watch.Cancel(source), null);
        return true;
    }

    /// <summary>The handler has ended.</summary>
    internal void End()
    {
        _watch.Dispose();
        _leaving.Dispose();
        lock (_gate)
        {
            _isOver = true;
            _source.Dispose();
        }
    }
}
