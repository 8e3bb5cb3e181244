namespace Skein;

/// <summary>
/// An object with its mailbox: calls wait in it and are made one at a time, in order. It is created by its first call and ends when it has
/// been idle for long, or with its client.
/// </summary>
/// <remarks>
/// <code>
///  (first call) → Active ⇄ Running → Leaving (its state is saved; calls may still come) → Gone (what came meanwhile goes to its successor)
/// </code>
/// </remarks>
sealed class ActiveObject : HandlerTask, IThreadPoolWorkItem
{
    const int Turns = 64;   // then others get the thread

    readonly ObjectKind _kind;
    readonly string _name;
    readonly ActiveObjects _home;
    readonly HandlerThreads? _threads;
    readonly Queue<ObjectCall> _mailbox = new();   // its lock guards all below
    object? _target;
    bool _isRunning, _isLeaving, _isGone;
    long _lastUse;

    public ActiveObject(ActiveObjects home, ObjectKind kind, string name, ServedClient? owner, HandlerThreads? threads)
    {
        (_home, _kind, _name, Owner, _threads, _lastUse) = (home, kind, name, owner, threads, home.Now);
    }

    /// <summary>The client whose it is; null: everybody's.</summary>
    public ServedClient? Owner { get; }

    public ObjectKind Kind => _kind;

    public string Name => _name;

    /// <summary>When its last call ended, in ticks of the server's clock.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>Takes a call; false where it is gone and its successor is to be asked.</summary>
    public bool TryPost(ObjectCall call)
    {
        lock (_mailbox)
        {
            if (_isGone)
                return false;
            _mailbox.Enqueue(call);
            Wake();
            return true;
        }
    }

    /// <summary>Lets it leave, now or when its calls are done.</summary>
    /// <param name="onlyIfIdle">Nothing happens when it is at work.</param>
    public void Leave(bool onlyIfIdle)
    {
        lock (_mailbox)
        {
            if (_isGone || _isLeaving || (onlyIfIdle && (_isRunning || _mailbox.Count > 0)))
                return;
            _isLeaving = true;
            Wake();
        }
    }

    void Wake()
    {
        if (_isRunning)
            return;
        _isRunning = true;
        if (_threads is null)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else if (!_threads.TryStart(this))
            _home.Failed(this, new InvalidOperationException("the threads of the server have ended"));
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    public override async Task RunAsync()
    {
        for (var turn = 1; ; turn++)
        {
            ObjectCall? call;
            lock (_mailbox)
            {
                if (!_mailbox.TryDequeue(out call) && !_isLeaving)
                {
                    _isRunning = false;
                    return;
                }
            }

            if (call is null)
            {
                await LeaveAsync().ConfigureAwait(true);
                return;
            }

            await CarryOutAsync(call).ConfigureAwait(true);
            Volatile.Write(ref _lastUse, _home.Now);
            if (turn % Turns == 0 && _threads is null)
                await Task.Yield();
        }
    }

    async Task CarryOutAsync(ObjectCall call)
    {
        if (_target is null && !await TryCreateAsync(call).ConfigureAwait(true))
            return;
        await call.RunAsync(_target!, _kind.IsDurable && _target is IPassivated && Owner is null ? SaveAsync : null).ConfigureAwait(true);
    }

    async ValueTask<bool> TryCreateAsync(ObjectCall call)
    {
        try
        {
            var target = _kind.Create(_name);
            if (target is null)
            {
                call.Refuse(ObjectFault.UnknownObject, $"There is no {_kind.Interface.Name} '{_name}'.");
                Leave(onlyIfIdle: false);
                return false;
            }

            if (target is IPassivated passivated)
                passivated.Load(Owner is null ? await _home.Store.LoadAsync(_kind.Interface.Name, _name).ConfigureAwait(true) : null);
            _target = target;
            return true;
        }
        catch (Exception error)
        {
            call.Fail(error);
            Leave(onlyIfIdle: false);
            return false;
        }
    }

    async ValueTask SaveAsync() => await _home.Store.SaveAsync(_kind.Interface.Name, _name, ((IPassivated)_target!).Save()).ConfigureAwait(true);

    async Task LeaveAsync()
    {
        try
        {
            if (_target is IPassivated && Owner is null)
                await SaveAsync().ConfigureAwait(true);
        }
        catch (Exception error)
        {
            // It stays: its memory is the only place where its state is.
            _home.Failed(this, error);
            lock (_mailbox)
            {
                _isLeaving = _isRunning = false;
                if (_mailbox.Count > 0)
                    Wake();
            }

            return;
        }

        lock (_mailbox)
        {
            if (_mailbox.Count > 0)   // it is wanted after all
            {
                _isLeaving = _isRunning = false;
                Wake();
                return;
            }

            _isGone = true;
        }

        _home.Gone(this);   // what is called from now on finds its successor, which finds its state
        try
        {
            if (_target is IAsyncDisposable asynchronous)
                await asynchronous.DisposeAsync().ConfigureAwait(true);
            else
                (_target as IDisposable)?.Dispose();
        }
        catch (Exception error)
        {
            _home.Failed(this, error);
        }

        _home.Ended();
        if (_kind.Threads == ObjectThreads.PerObject)
            _threads?.Dispose();
    }
}
