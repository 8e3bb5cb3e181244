namespace Skein;

sealed partial class Resident
{
    bool _isInTurn;   // the application's code has the thread
    bool _isDeciding;   // whether it is given up
    bool _isGivenUp;   // it has ended, and the turn that it is in has not
    Presence _presence;

    enum Presence : byte { Present, Left, Ended }

    /// <summary>It has ended, or is elsewhere.</summary>
    public bool IsGone => _presence != Presence.Present;

    /// <summary>It is elsewhere, or forgotten: what comes for it now goes another way.</summary>
    public bool HasLeft => _presence == Presence.Left;

    /// <summary>Its first function has ended, or it is made to end. Calls that it did not wait for end with it.</summary>
    public void End(MobileOutcome outcome)
    {
        if (IsGone)
            return;
        InboxItem? unread;
        lock (this)
        {
            _presence = Presence.Ended;
            unread = _first;
            _first = _last = null;
        }
        PostAgain(unread);
        MissCuts();
        Disarm();
        _ = node.EndAsync(this, outcome);
    }

    /// <summary>
    /// From any thread: it was killed, and is in a turn that does not end. For everybody else it ends here and now; its thread cannot be ended, and goes on
    /// until the turn does. False while it is in none.
    /// </summary>
    public bool TryGiveUp(MobileOutcome outcome)
    {
        InboxItem? unread;
        lock (this)
        {
            if (!_isInTurn || _presence != Presence.Present)
                return false;
            _isDeciding = true;
            Interlocked.MemoryBarrierProcessWide();   // either this sees that the turn has ended, or that sees this and waits
            var isInTurn = Volatile.Read(ref _isInTurn);
            if (isInTurn)
                (_presence, _isGivenUp) = (Presence.Ended, true);
            Volatile.Write(ref _isDeciding, false);
            if (!isInTurn)
                return false;
            unread = _first;
            _first = _last = null;
        }
        PostAgain(unread);
        _ = node.EndAsync(this, outcome);
        return true;
    }

    /// <summary>A turn costs no lock for this.</summary>
    void EndTurn()
    {
        Volatile.Write(ref _isInTurn, false);
        if (!Volatile.Read(ref _isDeciding))
            return;
        lock (this)
        {
            // Now it is known whether it was given up.
        }
    }

    /// <summary>What it has not read when it ends finds that out.</summary>
    void PostAgain(InboxItem? unread)
    {
        while (unread is not null)
        {
            (var item, unread) = (unread, unread.Next);
            item.Next = null;
            Post(item);
        }
    }

    /// <summary>The turn has ended after all in which it was given up.</summary>
    void LetGo()
    {
        if (!_isGivenUp)
            return;
        _isGivenUp = false;
        MissCuts();
        Disarm();
    }

    /// <summary>Whoever asked for one hears of the end when everybody does.</summary>
    void MissCuts()
    {
        foreach (var cut in _cuts ?? [])
        {
            if (cut.Ask is { } ask && ask.TryLeave())
                Post(ask);
            else
                cut.Ask?.Miss(node, Id);
        }
    }

    /// <summary>It is the other node's, which hears that first; letters that it had not read go after it, before any that come later.</summary>
    public void Leave(string peer, Action sayGo)
    {
        lock (this)
        {
            _presence = Presence.Left;
            sayGo();
            node.Left(this, peer);
            for (var item = _first; item is not null; item = item.Next)
            {
                if (item is FollowingItem follower && (item is not Skein.Ask asked || asked.TryLeave()))
                    node.SendAfter(peer, Id, follower);
                else if (item is UpgradeRequest)
                    item.Miss(node, Id);
            }
            _first = _last = null;
        }
        foreach (var cut in _cuts ?? [])
        {
            if (cut.Ask is { } ask && ask.TryLeave())
                node.SendAfter(peer, Id, ask);
        }
        _image?.Left();
        Disarm();
    }

    void Disarm()
    {
        foreach (var cut in _cuts ?? [])
            (cut as UpgradeCut)?.Drop();
        _cuts = null;
        DisarmWaits();
        state.Gone();
    }
}
