using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Sessions of a stream protocol, in the process that serves it: state by an id that the client sends along. They are lost with the
/// process, and a client then learns that it is to start again.
/// </summary>
/// <example>
/// <code>
/// using var sessions = new SessionTable&lt;Basket&gt;(new() { IdleTimeout = TimeSpan.FromMinutes(5) });
/// var id = sessions.Create(new Basket());     // the server chooses the id; one that a client makes up is not taken
/// var basket = sessions.Get(id);              // used: the idle time begins again
/// </code>
/// </example>
/// <typeparam name="T">The state. What is in it is the caller's to guard when several threads use one session.</typeparam>
public sealed class SessionTable<T> : IDisposable
{
    readonly Lock _gate = new();
    readonly SessionOptions _options;
    readonly Func<T, int>? _size;
    readonly LeastRecentlyUsed<T> _sessions;
    readonly SessionMeter _meter;
    readonly ITimer _sweeper;
    readonly long _origin;
    List<string>? _endedSince;   // the copies were made
    long _copied;

    /// <param name="options">Bounds and time-outs.</param>
    /// <param name="size">How many bytes a state counts for, when it is made; by default all count the same.</param>
    public SessionTable(SessionOptions? options = null, Func<T, int>? size = null)
    {
        (_options, _size) = ((options ?? new()).Checked(), size);
        _origin = _options.Time.GetTimestamp();
        _sessions = new(_options.MaxSessions, _options.MaxBytes) { Ended = (_, _, why) => _meter!.Ended(why) };
        _meter = new(typeof(T).Name, () => Count, () => Bytes);
        var period = SweepPeriod(_options);
        _sweeper = _options.Time.CreateTimer(static table => ((SessionTable<T>)table!).Sweep(), this, period, period);
        if (_options.HandOverAs is { } name)
            SessionHandOver.Add(name, new(Copy, Rest, Take));
    }

    /// <summary>How many live.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _sessions.Count;
        }
    }

    /// <summary>How many bytes they count for, names and housekeeping included.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _sessions.Bytes;
        }
    }

    /// <summary>Begins a session.</summary>
    /// <returns>Its id: 128 random bits in hexadecimal.</returns>
    public string Create(T state)
    {
        var id = SessionId.New();
        lock (_gate)
            Set(id, state, Milliseconds(_options.IdleTimeout), Now + Milliseconds(_options.Lifetime));
        return id;
    }

    /// <summary>Finds a session and uses it: its idle time begins again.</summary>
    public bool TryGet(string? id, [MaybeNullWhen(false)] out T state)
    {
        state = default;
        if (id is null)
            return false;
        lock (_gate)
        {
            ref var found = ref _sessions.Use(id, Now);
            if (Unsafe.IsNullRef(ref found))
                return false;
            state = found;
            return true;
        }
    }

    /// <summary>As <see cref="TryGet"/>.</summary>
    /// <exception cref="SessionEndedException">There is none: its client is to start again.</exception>
    public T Get(string? id) => TryGet(id, out var state) ? state : throw new SessionEndedException();

    /// <summary>Ends a session; false when there was none.</summary>
    public bool Remove(string? id)
    {
        lock (_gate)
        {
            if (id is null || !_sessions.Remove(id, out _))
                return false;
            _endedSince?.Add(id);
        }

        _meter.Ended(SessionEnd.Removed);
        return true;
    }

    /// <summary>Takes all sessions out, for another process that goes on with them: this one drains.</summary>
    public IReadOnlyList<HandedSession<T>> HandOver()
    {
        lock (_gate)
        {
            _sessions.Expire(Now);
            var now = Now;
            var all = _sessions.All().Select(row => Handed(row, now)).ToArray();
            foreach (var session in all)
                _sessions.Remove(session.Id, out _);
            return all;
        }
    }

    /// <summary>Goes on with sessions of another process. How long they were idle there counts.</summary>
    public void TakeOver(IEnumerable<HandedSession<T>> sessions)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        lock (_gate)
        {
            foreach (var session in sessions)
            {
                var left = Math.Clamp(session.MillisecondsLeft, 0, Milliseconds(_options.IdleTimeout));
                Set(session.Id, session.State, left, Now + session.MillisecondsToLive);
                _sessions.SetIdle(session.Id, Milliseconds(_options.IdleTimeout));
            }
        }
    }

    /// <summary>Ends all of them.</summary>
    public void Dispose()
    {
        if (_options.HandOverAs is { } name)
            SessionHandOver.Remove(name);
        _sweeper.Dispose();
        _meter.Dispose();
    }

    internal static TimeSpan SweepPeriod(SessionOptions options) =>
        TimeSpan.FromMilliseconds(Math.Clamp(options.IdleTimeout.TotalMilliseconds / 4, 10, 30_000));

    internal static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    long Now => Milliseconds(_options.Time.GetElapsedTime(_origin));

    void Set(string id, T state, long idle, long latest)
    {
        var size = _size?.Invoke(state) ?? 0;
        if (size > _options.MaxBytes / 8)
            throw new ArgumentException($"A session of {size:N0} bytes, where {_options.MaxBytes / 8:N0} is the most: keep what is large elsewhere.", nameof(state));
        _sessions.Set(id, state, size, Now, idle, latest);
    }

    static HandedSession<T> Handed((string Name, T Value, int Size, long Idle, long Expires, long Latest) row, long now) => new(row.Name, row.Value, row.Expires - now, row.Latest - now);

    byte[] Copy()
    {
        lock (_gate)
        {
            _sessions.Expire(Now);
            (_copied, _endedSince) = (Now, []);
            return ToBytes(now => _sessions.All().Select(row => Handed(row, now)));
        }
    }

    byte[] Rest()
    {
        lock (_gate)
        {
            // When one was used last is told by its end, except shortly before the end of its life.
            var bytes = ToBytes(now => _sessions.All()
                .Where(row => row.Expires - row.Idle >= _copied || row.Expires == row.Latest)
                .Select(row => Handed(row, now))
                .Concat((_endedSince ?? []).Select(static id => new HandedSession<T>(id, default!, 0, 0))));
            _endedSince = null;
            _ = HandOver();
            return bytes;
        }
    }

    void Take(byte[] bytes)
    {
        lock (_gate)
        {
            var batch = GraphCodec.Decode<Batch>(bytes);
            var onTheWay = Milliseconds(TimeProvider.System.GetElapsedTime(batch.At));
            foreach (var session in batch.Sessions)
            {
                var left = session.MillisecondsLeft - onTheWay;
                if (left <= 0)
                    Remove(session.Id);
                else if (!_sessions.HasUntil(session.Id, Now + left))   // it was used here since
                    TakeOver([session with { MillisecondsLeft = left, MillisecondsToLive = session.MillisecondsToLive - onTheWay }]);
            }
        }
    }

    byte[] ToBytes(Func<long, IEnumerable<HandedSession<T>>> sessions)
    {
        var batch = new Batch(TimeProvider.System.GetTimestamp(), [.. sessions(Now)]);
        var bytes = new ArrayBufferWriter<byte>();
        GraphCodec.Encode(batch, bytes);
        return bytes.WrittenMemory.ToArray();
    }

    /// <summary>Sessions on their way to another process of this machine.</summary>
    /// <param name="At">When it was that they had so much time left, on the clock that all processes share.</param>
    sealed record Batch(long At, HandedSession<T>[] Sessions);

    void Sweep()
    {
        lock (_gate)
            _sessions.Expire(Now);
    }
}

/// <summary>A session on its way from one process to another; travels as an argument or a result.</summary>
/// <param name="Id">Its id, which its client keeps.</param>
/// <param name="State">What it holds.</param>
/// <param name="MillisecondsLeft">How long it may still be idle.</param>
/// <param name="MillisecondsToLive">How long it may live in any case.</param>
public sealed record HandedSession<T>(string Id, T State, long MillisecondsLeft, long MillisecondsToLive);
