namespace Skein.Tests.Handover;

/// <summary>
/// Two nodes, a process that moves between them and one that writes to it; now and then a third node, where they were started and by which letters go.
/// Connections that are cut, nodes that crash, at any step. One number decides all: which of those that can run does, what arrives when, what fails.
/// </summary>
sealed class Model
{
    const int Letters = 6, Moves = 4, MostSteps = 20_000;

    readonly Random _random;
    readonly ModelTime _time = new();
    readonly ModelNode[] _nodes;
    readonly bool _isDurable, _writerIsDurable, _writerWaits;
    readonly MobileProcess<string> _mover;
    readonly MobileProcess<string> _writer;
    readonly ModelNetwork _network;
    int _faults, _crashes, _steps;
    int _tick;               // of the mover: what it has last said
    bool _mayGoBack;         // it may have been restored since
    int _stored;             // its tick when it last heard that it was stored
    bool _mustLive = true;   // nothing has happened that it may not survive
    bool _hasEnded;
    bool _writerMustLive = true, _writerIsStored, _writerHasEnded;
    int _letters;            // all that were ever written, also by a writer that was restored to before
    List<int> _written = [], _read = [];   // as the writer and the mover have told at their ends
    string? _wrong;          // seen by the mover itself
    readonly List<string> _trace = [];
    readonly List<(ModelNode Node, ModelConnection? Hears, bool Stores)> _can = [];   // happen next

    Model(int seed)
    {
        _random = new(seed);
        _isDurable = _random.Next(2) == 0;
        _writerIsDurable = _random.Next(2) == 0;
        _faults = _random.Next(4);
        _nodes = _random.Next(4) > 0 ? [new("a", _time, this), new("b", _time, this)] : [new("a", _time, this), new("b", _time, this), new("home", _time, this)];
        _network = new(_nodes);
        foreach (var node in _nodes)
            node.Start();
        Heal();
        _network.Drain();   // they know each other
        var isDurable = _isDurable;
        _writerWaits = _random.Next(2) == 0;
        var (roams, waits, writerIsDurable) = (_random.Next(2) == 0, _writerWaits, _writerIsDurable);
        _mover = _nodes[^1].Node!.Start(() => Roam(isDurable));
        var mover = _mover.Id;
        _writer = _nodes[_random.Next(_nodes.Length)].Node!.Start(() => Write(mover, roams, writerIsDurable, waits));
    }

    /// <summary>Null, or what went wrong.</summary>
    public static string? Run(int seed)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);   // what waits for the store goes on on this thread, or it would not be the seed alone that decides
        var model = new Model(seed);
        try
        {
            model.Play();
            return null;
        }
        catch (Exception e)
        {
            return $"seed {seed}, step {model._steps}: {e.Message}\n{string.Join('\n', model._trace.Select(static (what, step) => $"{step,5} {what}").TakeLast(100))}\n{e.StackTrace}";
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>The mover: says with each of its turns where it is in its life, so that two of it are found out at once.</summary>
    static async Mobile<string> Roam(bool isDurable)
    {
        var tick = 0;
        var received = new List<int>();

        void Tick() => Here.Resource<Model>("world").Hear(ref tick);

        async Mobile Move()
        {
            for (var move = 0; move < Moves; move++)
            {
                try
                {
                    await Here.MoveTo(Here.Node == "a" ? "b" : "a");
                }
                catch (CannotMoveException)
                {
                    // it goes on here
                }
                Tick();
                if (isDurable)
                    await Store();
                await Here.Yield();
                Tick();
            }
        }

        async Mobile Store()
        {
            var before = tick;
            try
            {
                if (await Here.Checkpoint() == Resumption.Continued)
                    Here.Resource<Model>("world").HearStored(before);
            }
            catch (IOException)
            {
                // the image before is the last
            }
        }

        async Mobile Read()
        {
            while (received.Count < Letters)
            {
                received.Add(await Here.Receive<int>());
                Here.Resource<Model>("world").Note($"the mover reads {received[^1]} at {Here.Node}");
                Tick();
            }
        }

        await Mobile.WhenAll(Move(), Read());
        Tick();
        Here.Resource<Model>("world").HearEnd(received);
        return string.Join(' ', received);
    }

    /// <summary>No letter is like another, not even to one that is written again: so a letter is found out that was sent and then unwritten.</summary>
    static async Mobile<string> Write(string mover, bool roams, bool isDurable, bool waits)
    {
        var written = new List<int>();

        async Mobile<bool> Store()
        {
            try
            {
                if (await Here.Checkpoint() == Resumption.Continued)
                    Here.Resource<Model>("world")._writerIsStored = true;
                Here.Resource<Model>("world").Note("the writer is stored");
                return true;
            }
            catch (IOException)
            {
                return false;   // the image before is the last
            }
        }

        if (isDurable)
            await Store();
        for (var letter = 1; letter <= Letters; letter++)
        {
            written.Add(Here.Resource<Model>("world").NewLetter(letter));
            Here.Send(mover, written[^1]);
            await Here.Yield();
            if (isDurable && letter % 2 == 0)
                await Store();
            if (!roams || letter % 2 == 0)
                continue;
            try
            {
                await Here.MoveTo(Here.Node == "a" ? "b" : "a");
            }
            catch (CannotMoveException)
            {
                // it goes on here
            }
        }
        Here.Resource<Model>("world").HearWritten(written);
        while (waits && isDurable && !await Store())
        {
            // the last letters leave with a commit, or with its end
        }
        if (waits)
            await Here.Event<bool>("never");   // its letters do not wait for its end
        return "written";
    }

    void Hear(ref int tick)
    {
        if (tick != _tick)
        {
            if (!_mayGoBack || tick < _stored || tick > _tick)
                _wrong ??= $"the mover says {tick}, and has said {_tick} (stored: {_stored}): two of it run, or it has forgotten what it was told was stored";
            (_mayGoBack, _hasEnded) = (false, false);
        }
        if (_hasEnded)
            _wrong ??= "the mover goes on after its end";
        _tick = ++tick;
    }

    void HearStored(int tick) => _stored = Math.Max(_stored, tick);

    void HearEnd(List<int> received)
    {
        (_hasEnded, _read) = (true, received);
        if (!received.SequenceEqual(received.Order().DistinctBy(static letter => letter / 1000)))
            _wrong ??= $"letters arrived as {string.Join(' ', received)}";
    }

    int NewLetter(int letter)
    {
        letter = 1000 * letter + ++_letters;
        Note($"the writer writes {letter} at {Here.Node}");
        return letter;
    }

    void HearWritten(List<int> written) => (_writerHasEnded, _written) = (true, written);

    void Play()
    {
        var length = _random.Next(20, 300);
        while (_steps < length && Step(canFail: true))
            Check();
        Heal();   // and from here on nothing fails
        while (Step(canFail: false))
        {
            Check();
            Assert.True(_steps < MostSteps * (_nodes.Length > 2 ? 10 : 1), "it never comes to rest");   // by a third node letters may go to and fro until a process is given up, each 250 times
        }
        CheckEnd();
    }

    /// <summary>One thing happens. False where nothing can any more.</summary>
    bool Step(bool canFail)
    {
        _steps++;
        if (canFail && _faults > 0 && _random.Next(25) == 0)
        {
            _faults--;
            Fail();
            return true;
        }
        if (canFail && _random.Next(60) == 0 && _time.HasAlarms)
        {
            Note("an alarm rings early");
            _time.RingNext();
            return true;
        }
        if (canFail && _random.Next(15) == 0 && HealOne())
            return true;
        if (TryDo() || canFail && HealOne())
            return true;
        if (!_time.HasAlarms)
            return false;
        Note("an alarm rings");
        _time.RingNext();
        return true;
    }

    /// <summary>One of what can happen by itself.</summary>
    bool TryDo()
    {
        _can.Clear();
        foreach (var node in _nodes)
        {
            if (node.CanRun)
                _can.Add((node, null, false));
            if (node.CanStore)
                _can.Add((node, null, true));
        }
        foreach (var (node, end) in _network.Arriving)
            _can.Add((node, end, false));
        if (_can.Count == 0)
            return false;
        switch (_can[_random.Next(_can.Count)])
        {
            case ({ } node, { } end, _):
                Note($"{node.Name} hears {end.Next}");
                end.TakeNext();
                break;
            case ({ } node, _, true):
                Note($"{node.Name} stores");
                node.Store.WriteNext(_random);
                break;
            case ({ } node, _, false):
                Note($"{node.Name} runs");
                node.RunOne(_random);
                break;
        }
        return true;
    }

    void Fail()
    {
        var connected = _network.Connected;
        if (_random.Next(3) > 0 && connected.Length > 0)
        {
            var pair = connected[_random.Next(connected.Length)];
            Note($"the connection of {pair.One.Name} and {pair.Other.Name} is cut");
            _network.Cut(pair, _random);
        }
        else
        {
            Crash(_nodes[_random.Next(_nodes.Length)]);
        }
    }

    void Crash(ModelNode node)
    {
        if (node.Node is null)
            return;
        Note($"{node.Name} crashes");
        _crashes++;
        node.Crash(_random);
        _network.Lose(node, _random);
        // One that was given to a node that has just ended is lost with it: nobody could know.
        _mustLive &= _nodes.Any(other => other.Has(_mover.Id)) || _hasEnded || _isDurable && _stored > 0;
        _writerMustLive &= _nodes.Any(other => other.Has(_writer.Id)) || _writerHasEnded && !_writerIsDurable || _writerIsStored;
    }

    void Heal()
    {
        while (HealOne())
        {
            // until all live and are connected
        }
    }

    /// <summary>False where there is nothing to heal.</summary>
    bool HealOne()
    {
        var ended = _nodes.Where(static node => node.Node is null).ToArray();
        var missing = _network.Missing;
        if (ended.Length + missing.Length == 0)
            return false;
        var one = _random.Next(ended.Length + missing.Length);
        if (one < ended.Length)
            Restart(ended[one]);
        else
            Join(missing[one - ended.Length]);
        return true;
    }

    void Restart(ModelNode node)
    {
        Note($"{node.Name} starts again");
        _mayGoBack = true;
        node.Start();
    }

    void Join((ModelNode One, ModelNode Other) pair)
    {
        Note($"{pair.One.Name} and {pair.Other.Name} are connected");
        _network.Join(pair);
    }

    void Check()
    {
        var wrong = _wrong ?? _nodes.Select(static node => node.Store.Wrong).FirstOrDefault(static wrong => wrong is not null);
        Assert.True(wrong is null, wrong);
        Assert.True(_nodes.Count(node => node.Has(_mover.Id)) <= 1, "two nodes have the mover");
    }

    void CheckEnd()
    {
        var isHere = _nodes.Count(node => node.Has(_mover.Id));
        var inDoubt = _nodes.SelectMany(static node => node.Node!.List()).Where(static status => status.Peer is not null).ToArray();
        Assert.True(inDoubt.Length == 0, $"in doubt at the end: {string.Join(", ", (object[])inDoubt)}");
        if (_crashes == 0)
        {
            Assert.True(_mover.Completion.IsCompletedSuccessfully, $"the mover has not ended; it is at {isHere} nodes");
            Assert.Equal(string.Join(' ', _written), _mover.Completion.GetAwaiter().GetResult());
            Assert.True(_writer.Completion.IsCompleted || _writerWaits && _writerHasEnded, "the writer has not ended");
        }
        if (_isDurable && _writerIsDurable && _mustLive && _writerMustLive)
        {
            Assert.True(_writerHasEnded, "the writer has not ended");
            Assert.True(_hasEnded, "the mover waits for letters");
            Assert.Equal(_written, _read);
            // The mover may have ended at a node that crashed before it said so: whether its last letters were had nobody can know then.
            foreach (var node in _nodes)
                Assert.True(node.Store.Kept.All(id => id == _writer.Id && (_crashes > 0 || _writerWaits)), $"the store of {node.Name} still has {string.Join(", ", node.Store.Kept)}");
        }
        if (_mustLive && !_hasEnded)
            Assert.True(isHere == 1, $"the mover is at {isHere} nodes");
    }

    void Note(string what) => _trace.Add(what);
}
