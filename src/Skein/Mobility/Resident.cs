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
sealed partial class Resident(MobileNode node, MobileState state) : IThreadPoolWorkItem
{
    /// <summary>Turns after which other processes get the thread: few enough that a thousand busy ones each run every few hundredths of a second, and many enough that queueing costs them little.</summary>
    const int TurnsInARow = 256;

    [ThreadStatic]
    static Resident? _current;

    InboxItem? _first, _last;   // the inbox
    bool _isRunning = true;   // until Begin, so that what comes before waits
    bool _isGone;

    /// <summary>The process that has this thread.</summary>
    public static Resident? Current => _current;

    public MobileNode Node => node;

    /// <summary>It has ended, or is elsewhere.</summary>
    public bool IsGone => _isGone;

    public string Id => state.Id;

    public MobileState State => state;

    public ref WaitList Waits => ref state.Waits;

    /// <exception cref="InvalidOperationException">This thread runs none.</exception>
    public static Resident Require() => _current ?? throw new InvalidOperationException(
        "This is possible in a mobile process only: start the function by MobileNode.Start, and call it from mobile code.");

    public void MakeReady(Waiter waiter) => state.Ready.Enqueue(waiter);

    /// <summary>Lets it run. This comes before whatever was posted already.</summary>
    public void Begin(InboxItem first)
    {
        lock (this)
        {
            first.Next = _first;
            _last ??= first;
            _first = first;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>From any thread.</summary>
    public void Post(InboxItem item)
    {
        lock (this)
        {
            if (!_isGone)
            {
                if (_last is null)
                    Volatile.Write(ref _first, item);
                else
                    _last.Next = item;
                _last = item;
                if (_isRunning)
                    return;
                _isRunning = true;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
        if (item.Follows)
            node.Deliver(Id, item);
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
                if (_cuts is not null)
                    TryCut();
                if (_isGone)
                    return;
                if (state.Ready.TryDequeue() is { } waiter)
                    waiter.Turn();
                else if (TryPark())
                    return;
            }
        }
        finally
        {
            _current = outer;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void ApplyInbox()
    {
        InboxItem? item;
        lock (this)
        {
            item = _first;
            _first = _last = null;
        }
        while (item is not null)
        {
            var next = item.Next;
            item.Next = null;
            if (_isGone)
                Post(item);   // it has ended meanwhile
            else
                item.Apply(this);
            item = next;
        }
    }

    bool TryPark()
    {
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

    /// <summary>Its first function has ended, or it is made to end. Calls that it did not wait for end with it.</summary>
    public void End(MobileOutcome outcome)
    {
        if (_isGone)
            return;
        Leave();
        _ = node.EndAsync(this, outcome);
    }

    /// <summary>It goes on at another node. That has made all of its objects before this one lets go of it, and starts afterwards.</summary>
    /// <exception cref="CannotMoveException">It stays.</exception>
    public void MoveTo(string destination, byte[] image)
    {
        if (destination == node.Name)
            return;
        Resident there;
        Action? finish;
        try
        {
            there = node.Peer(destination, Id).Accept(image, out finish);
        }
        catch (Exception e) when (e is not CannotMoveException)   // of whatever kind: another version, no memory
        {
            throw new CannotMoveException($"Mobile process {Id} stays at node {node.Name}: node {destination} refused it. {e.Message}", e);
        }
        Leave(there);
        there.Begin(new Arrival(finish));
    }

    /// <summary>It is not here any more. Letters that it had not read go after it, before any that come later.</summary>
    void Leave(Resident? there = null)
    {
        lock (this)
        {
            _isGone = true;
            for (var item = _first; item is not null;)
            {
                var next = item.Next;
                item.Next = null;
                if (there is null)
                    item.Miss(Id);
                else if (item.Follows)
                    there.Post(item);
                item = next;
            }
            _first = _last = null;
            node.Left(this, there);
        }
        foreach (var cut in _cuts ?? [])
        {
            if (there is null)
                new CutRequest(cut).Miss(Id);
            else if (cut.IsAskedOutside && cut.IsWished)
                there.Post(new CutRequest(cut));
        }
        _cuts = null;
        for (var wait = state.Waits.First; wait is not null; wait = wait.After)
            wait.Disarm();
        if (there is not null)
            _image?.Left();
        ImageReading.Remove(state.Made?.Folder);
    }
}
