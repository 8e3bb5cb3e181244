using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// A mobile process at the node where it is. One thread at a time runs it, in turns: a frame goes on until it waits again. What happens
/// outside (time, messages, requests) stands in the inbox until the turn has ended. So between two turns all frames, also those that run
/// concurrently, are one consistent graph of objects, which can be written.
/// </summary>
/// <remarks>
/// <code>
/// Post ──► inbox ──► Apply ──► ready ──► Turn ──┐
///                      ▲                        │ waits
///                      └──── a cut, if wished ◄─┘
/// </code>
/// </remarks>
sealed partial class Resident(MobileNode node, MobileState state, Task? before = null) : IThreadPoolWorkItem
{
    /// <summary>Turns after which other processes get the thread: few enough that a thousand busy ones each run every few hundredths of a second, and many enough that queueing costs them little.</summary>
    const int TurnsInARow = 256;

    static readonly ConditionalWeakTable<Resident, CancellationTokenSource> Stops = [];   // of those that have looked; a parked process is to be small

    [ThreadStatic]
    static Resident? _current;

    InboxItem? _first, _last;   // the inbox
    bool _isRunning = true;   // until Begin, so that what comes before waits; and while it may leave
    /// <summary>The process that has this thread.</summary>
    public static Resident? Current => _current;

    public MobileNode Node => node;

    /// <summary>It waits, and nothing has come for it.</summary>
    public bool IsParked => !_isRunning;

    /// <summary>Cancelled when it is asked to end. In a turn of it.</summary>
    public CancellationToken Stopping
    {
        get
        {
            var source = Stops.GetValue(this, static _ => new());
            if (state.IsStopping)
                source.Cancel();
            return source.Token;
        }
    }

    /// <summary>In a turn of it.</summary>
    public void Stop()
    {
        state.IsStopping = true;
        if (Stops.TryGetValue(this, out var source))
            _ = source.CancelAsync();
    }

    public string Id => state.Id;

    public MobileState State => state;

    public ref WaitList Waits => ref state.Waits;

    /// <exception cref="InvalidOperationException">This thread runs none.</exception>
    public static Resident Require() => _current ?? throw new InvalidOperationException(
        "This is possible in a mobile process only: start the function by MobileNode.Start, and call it from mobile code.");

    public void MakeReady(Waiter waiter) => state.Ready.Enqueue(waiter);

    /// <summary>Lets it run, for the first time or after it might have left. This comes before whatever was posted already.</summary>
    public void Begin(InboxItem first)
    {
        lock (this)
        {
            first.Next = _first;
            _last ??= first;
            _first = first;
        }
        node.Run(this);
    }

    /// <summary>From any thread. What was for this place is dropped where the process has left it.</summary>
    public void Post(InboxItem item)
    {
        if (!TryPost(item) && item is FollowingItem follower)
            node.Deliver(Id, follower);
    }

    /// <summary>False where it has left: the node knows where to.</summary>
    public bool TryPost(InboxItem item)
    {
        lock (this)
        {
            if (_presence == Presence.Left)
                return false;
            if (_presence == Presence.Present)
            {
                (item as Ask)?.Note(this);
                if (item is KillRequest)
                    KillRequest.Note(this);
                Append(item);
                if (_isRunning || item.CanWait)
                    return true;
                _isRunning = true;
                node.Run(this);
                return true;
            }
            if (item is Letter or Acknowledgement or Ask)
            {
                Append(item);   // until the store has forgotten it, and the node knows of its end
                return true;
            }
        }
        item.Miss(node, Id);
        return true;
    }

    void Append(InboxItem item)
    {
        if (_last is null)
            Volatile.Write(ref _first, item);
        else
            _last.Next = item;
        _last = item;
    }

    void IThreadPoolWorkItem.Execute()
    {
        var outer = _current;
        _current = this;
        try
        {
            for (var turns = 0; turns < TurnsInARow; turns++)
            {
                if (Volatile.Read(ref _first) is not null)
                    ApplyInbox();
                if (_cuts is not null && !IsGone)
                {
                    SayWhatCame();
                    if (TryCut())
                        return;   // it is in other hands
                }
                if (IsGone)
                {
                    LetGo();
                    return;
                }
                if (state.Ready.TryDequeue() is { } waiter)
                    Take(waiter);
                else if (TryPark())
                    return;
            }
        }
        finally
        {
            _current = outer;
        }
        SayWhatCame();
        node.Run(this);
    }

    void Take(Waiter waiter)
    {
        _isInTurn = true;
        waiter.Turn();
        EndTurn();
    }

    void ApplyInbox()
    {
        InboxItem? item;
        _isInTurn = true;
        lock (this)
        {
            item = _first;
            _first = _last = null;
        }
        while (item is not null)
        {
            var next = item.Next;
            item.Next = null;
            if (IsGone)
                Post(item);   // it has ended meanwhile
            else
                item.Apply(this);
            item = next;
        }
        EndTurn();
    }

    /// <summary>Who wrote to it and was not answered is told that it came, before it waits, leaves, or is looked at.</summary>
    public void SayWhatCame()
    {
        if (!state.IsDurable && state.Letters?.Unsaid is { } had)
            Acknowledge(had);
    }

    bool TryPark()
    {
        SayWhatCame();
        lock (this)
        {
            if (_first is not null)
                return false;
            _isRunning = false;
            return true;
        }
    }

    /// <summary>A message or an event has come.</summary>
    public void TakeIn(string? eventName, object? content)
    {
        for (var wait = state.Waits.First; wait is not null; wait = wait.After)
        {
            if (wait.Take(eventName, content))
                return;
        }
        (state.Mailbox ??= new()).Enqueue(new(eventName, content));
    }
}
