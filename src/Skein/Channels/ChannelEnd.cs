using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// What a reader and a writer have in common: the control page, the lifeline, the port, and waiting. An end is made of descriptors
/// only, so one that arrived from another process is like one made here.
/// </summary>
/// <remarks>
/// <code>
///  EndWriter ── ItemWriter ─▶ packets ─▶ PacketPort ══ the kernel's channel, ring, file ══▶ PacketPort ─▶ packets ─▶ ItemReader ── EndReader
///      └──────── ChannelEnd ──── ControlPage (shared memory: capacity, who opened, who is done) ──── ChannelEnd ────────────────────┘
///                     └────────── Lifeline (bell, end of file) ──── Watcher (one thread) ──────────────┘
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed unsafe class ChannelEnd : IDisposable
{
    static readonly HashSet<ChannelEnd> Waiting = [];   // keeps alive who waits: nobody else may refer to it

    readonly MemoryRegion _region;
    readonly Lifeline _lifeline;
    readonly ulong _token;
    TaskCompletionSource? _pulse;
    readonly List<int> _known = [];   // the port's descriptors that epoll knows
    int _asleep;
    bool _hasTurn;

    public ChannelEnd(ChannelKind kind, bool reads, int number, MemoryRegion region, Lifeline lifeline, PacketPort port)
    {
        Kind = kind;
        Reads = reads;
        Number = number;
        Port = port;
        _region = region;
        _lifeline = lifeline;
        (reads ? ref Page.ReaderProcess : ref Page.WriterProcess) = Environment.ProcessId;
        _token = Watcher.Add(this, lifeline.Descriptor);
    }

    ~ChannelEnd() => Dispose();

    /// <summary>Held for the short time of an operation; never across a wait.</summary>
    public Lock Gate { get; } = new();

    public ChannelKind Kind { get; }

    public bool Reads { get; }

    /// <summary>Which of the channel's writers (or readers) this is.</summary>
    public int Number { get; }

    public PacketPort Port { get; }

    /// <summary>Items that a writer has written. It goes on counting where it is sent to: what a datagram's reader has seen already is old.</summary>
    public ulong Written { get; set; }

    public ControlPage Page => new(_region.Pointer);

    public bool HasBackPressure => (Kind.Capabilities() & ChannelCapabilities.BackPressure) != 0;

    /// <summary>Nobody is left at the other side.</summary>
    public bool PeerGone { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Whoever uses this end; told when something may have changed, with the gate held.</summary>
    public Action? Ready { get; set; }

    /// <summary>True when the last look failed only because it was another end's turn: nobody will call, so look again soon.</summary>
    public bool LooksAgain { get; private set; }

    /// <summary>When this side has several ends they take turns; the kernel ends the turn of one that dies.</summary>
    public bool TryTakeTurn()
    {
        if (_hasTurn || !(Reads ? Page.SharedByReaders : Page.SharedByWriters))
            return true;
        _hasTurn = FileLock.TryTake(_region.Descriptor, Reads ? 1 : 0);
        LooksAgain = !_hasTurn;
        if (_hasTurn)
            Port.Refresh();
        return _hasTurn;
    }

    public void EndTurn()
    {
        if (!_hasTurn)
            return;
        _hasTurn = false;
        FileLock.Release(_region.Descriptor, Reads ? 1 : 0);
    }

    /// <summary>For a reader: keeps all writers out. False while one of them is sending.</summary>
    public bool TryTakeWritersTurn() => FileLock.TryTake(_region.Descriptor, 0);

    public void EndWritersTurn()
    {
        if (!IsClosed)
            FileLock.Release(_region.Descriptor, 0);
    }

    /// <summary>Wakes the other side if it asked for that.</summary>
    public void RingIfAsleep()
    {
        if (Volatile.Read(ref Reads ? ref Page.WritersAsleep : ref Page.ReadersAsleep) > 0)
            _lifeline.Ring();
    }

    public void Ring() => _lifeline.Ring();

    /// <summary>
    /// From now on something that changes completes the returned task. Look once more after this call and before the wait; then
    /// <see cref="Withdraw"/>, or call again. With the gate held.
    /// </summary>
    public Task Announce(bool forData)
    {
        _pulse ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Increment(ref Reads ? ref Page.ReadersAsleep : ref Page.WritersAsleep);
        if (_asleep++ == 0)
        {
            lock (Waiting)
                Waiting.Add(this);
        }

        if (forData)
            Arm();
        return _pulse.Task;
    }

    /// <summary>Has the watcher tell when the port is ready.</summary>
    public void Arm()
    {
        foreach (var descriptor in Port.WaitDescriptors)
        {
            var known = _known.Contains(descriptor);
            if (!known)
                _known.Add(descriptor);
            Watcher.Arm(descriptor, Reads ? Epoll.In : Epoll.Out, _token, known);
        }
    }

    public void Withdraw()
    {
        if (--_asleep == 0)
        {
            lock (Waiting)
                Waiting.Remove(this);
        }

        if (!IsClosed)
            Interlocked.Decrement(ref Reads ? ref Page.ReadersAsleep : ref Page.WritersAsleep);
    }

    public void Pulse()
    {
        var pulse = _pulse;
        _pulse = null;
        pulse?.SetResult();
    }

    /// <summary>On the watcher's thread, which must not wait for somebody who writes a long item.</summary>
    public void OnReady()
    {
        if (Gate.TryEnter())
        {
            try
            {
                Look();
            }
            finally
            {
                Gate.Exit();
            }
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(static end =>
            {
                lock (end.Gate)
                    end.Look();
            }, this, preferLocal: false);
        }
    }

    void Look()
    {
        if (IsClosed)
            return;
        PeerGone |= _lifeline.Drain(isShared: Reads ? Page.SharedByReaders : Page.SharedByWriters);
        Ready?.Invoke();
        Pulse();
    }

    /// <summary>All that this end is made of: control page, lifeline, and the port's.</summary>
    public int[] Descriptors => [_region.Descriptor, _lifeline.Descriptor, .. Port.Descriptors];

    /// <summary>Second ones, for a further end of this side, which takes turns with this one.</summary>
    public int[] DescriptorsForAnother() =>
        [Descriptor.Reopen(_region.Descriptor), Descriptor.Duplicate(_lifeline.Descriptor), .. Port.DescriptorsForAnother()];

    /// <summary>Closes this end here. If it is the last of its side, the other side sees it. With the gate held.</summary>
    public void Dispose()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        GC.SuppressFinalize(this);
        Watcher.Forget(_token, _lifeline.Descriptor, Port.Descriptors);
        Port.Dispose();
        _lifeline.Dispose();
        _region.Dispose();
        Pulse();
    }
}
