namespace Skein;

/// <summary>
/// A thread that runs handlers, one after the other and each to its end. What a handler does after an await runs here too: the thread
/// is its synchronization context.
/// </summary>
sealed class HandlerThread : SynchronizationContext
{
    static readonly Action<Task, object?> Wake = static (_, thread) => ((HandlerThread)thread!).Wakeup();

    readonly HandlerThreads _crew;
    readonly ServerThread _identity;
    readonly Queue<Turn> _turns = new();   // its lock guards what other threads write: this queue, _next and _ended
    HandlerTask? _next;
    bool _ended, _isOver;
    long _moves;

    public HandlerThread(HandlerThreads crew, int number, HandlerTask? first)
    {
        (_crew, _next, _identity) = (crew, first, new(number));
        Idle = new(this);
    }

    /// <summary>Its place among the idle ones; the crew's lock guards it.</summary>
    public LinkedListNode<HandlerThread> Idle { get; }

    /// <exception cref="OutOfMemoryException">The system gives no more threads.</exception>
    public void Start() => new Thread(Run) { IsBackground = true, Name = $"skein-server-{_identity.Number}" }.Start();

    /// <summary>Gives an idle thread its next task.</summary>
    public void Assign(HandlerTask task)
    {
        lock (_turns)
        {
            _next = task;
            Monitor.Pulse(_turns);
        }
    }

    public int Number => _identity.Number;

    /// <summary>It has ended.</summary>
    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Grows whenever it begins or ends to run code of a handler.</summary>
    public long Moves => Volatile.Read(ref _moves);

    /// <summary>It ends after what it does now.</summary>
    public void End()
    {
        lock (_turns)
        {
            _ended = true;
            Monitor.Pulse(_turns);
        }
    }

    public override void Post(SendOrPostCallback d, object? state) => Add(new(d, null, state));

    /// <summary>Runs code here that asked for no context (<c>ConfigureAwait(false)</c>): it stays on this thread as long as it can.</summary>
    public void Schedule(Action<object?> action, object? state) => Add(new(null, action, state));

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("A server's thread would wait for itself: use Post.");

    public override SynchronizationContext CreateCopy() => this;

    // What a handler has begun and not awaited may go on after its thread has ended: then it goes on in the thread pool.
    void Add(Turn turn)
    {
        lock (_turns)
        {
            if (!_isOver)
            {
                _turns.Enqueue(turn);
                Monitor.Pulse(_turns);
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.Run(), turn, preferLocal: false);
    }

    void Wakeup()
    {
        lock (_turns)
            Monitor.Pulse(_turns);
    }

    void Run()
    {
        ServerThread.Current = _identity;
        SetSynchronizationContext(this);
        HandlerTask? task = null;
        var running = Task.CompletedTask;
        while (true)
        {
            Turn turn;
            HandlerTask? next = null;
            Volatile.Write(ref _moves, _moves + 1);
            lock (_turns)
            {
                while (!_turns.TryDequeue(out turn))
                {
                    if (task is null)
                        (next, _next) = (_next, null);
                    if (next is not null || (task is not null && running.IsCompleted))
                        break;
                    _isOver = task is null && _ended;
                    if (_isOver)
                        return;
                    _isOver = !Monitor.Wait(_turns, task is null ? _crew.IdleTimeout : Timeout.InfiniteTimeSpan) && _turns.Count == 0 && _next is null && _crew.Retire(this);
                    if (_isOver)
                        return;
                }
            }

            Volatile.Write(ref _moves, _moves + 1);
            if (!turn.IsEmpty)
            {
                task?.TurnBegins(this);
                Take(turn);
                task?.TurnEnds();
                continue;
            }

            if (task is not null && !_crew.TakeNext(this, out next))
            {
                task = null;   // idle: the next one is assigned
                continue;
            }

            task = next!;
            task.TurnBegins(this);
            running = task.RunAsync();
            task.TurnEnds();
            if (!running.IsCompleted)
                _ = running.ContinueWith(Wake, this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    void Take(Turn turn)
    {
        if (turn.Action is null)
        {
            turn.Run();
            return;
        }

        SetSynchronizationContext(null);   // with one, its awaits of no context would leave for the thread pool
        turn.Run();
        SetSynchronizationContext(this);
    }

    readonly record struct Turn(SendOrPostCallback? Callback, Action<object?>? Action, object? State)
    {
        public bool IsEmpty => Callback is null && Action is null;

        public void Run()
        {
            Callback?.Invoke(State);
            Action?.Invoke(State);
        }
    }
}
