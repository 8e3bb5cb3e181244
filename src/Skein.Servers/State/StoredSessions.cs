using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Skein;

/// <summary>The sessions of a store: in memory, and in a file when they are durable.</summary>
sealed class StoredSessions : IDisposable
{
    // The idle time in the file is behind by up to this part of it, so that most uses of a session write nothing.
    const int Slack = 16;

    readonly Lock _gate = new();
    readonly SessionOptions _options;
    readonly LeastRecentlyUsed<Stored> _sessions;
    readonly SessionMeter _meter;
    readonly SessionFile? _file;
    readonly ITimer _sweeper;
    readonly long _origin;
    readonly DateTimeOffset _began;

    public StoredSessions(SessionOptions options)
    {
        _options = options.Checked();
        (_origin, _began) = (options.Time.GetTimestamp(), options.Time.GetUtcNow());
        _sessions = new(options.MaxSessions, options.MaxBytes) { Ended = Ended };
        _meter = new("store", () => Count.Sessions, () => Count.Bytes);
        _file = options.Durable ? new(options.File) : null;
        Key = _file?.Key ?? RandomNumberGenerator.GetBytes(SessionId.KeyLength);
        Load();
        var period = SessionTable<Stored>.SweepPeriod(options);
        _sweeper = options.Time.CreateTimer(static sessions => ((StoredSessions)sessions!).Sweep(), this, period, period);
    }

    /// <summary>What cookies are signed with.</summary>
    public byte[] Key { get; }

    public (long Sessions, long Bytes) Count
    {
        get
        {
            lock (_gate)
                return (_sessions.Count, _sessions.Bytes);
        }
    }

    /// <summary>A session's bytes, or null; uses it.</summary>
    public byte[]? Get(string name)
    {
        lock (_gate)
        {
            var now = Now;
            ref var found = ref _sessions.Use(name, now);
            if (Unsafe.IsNullRef(ref found))
                return null;
            if (_file is not null && now - found.Written > found.Idle / Slack)
            {
                found.Written = now;
                _file.Touch(name, UnixTime(now + found.Idle + found.Idle / Slack));
            }

            return found.Value;
        }
    }

    /// <param name="done">Called when it cannot be lost any more; not called where it is only in memory.</param>
    /// <returns>Whether it is done; otherwise <paramref name="done"/> says when.</returns>
    public bool Set(string name, byte[] value, long idle, long life, Action? done = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, LargestValue);
        idle = idle > 0 ? idle : SessionTable<Stored>.Milliseconds(_options.IdleTimeout);
        life = life > 0 ? life : SessionTable<Stored>.Milliseconds(_options.Lifetime);
        lock (_gate)
        {
            var now = Now;
            _sessions.Set(name, new(value, idle, now), value.Length, now, idle, now + life);
            return _file is null || !_file.Set(new(name, value, UnixTime(now + idle + idle / Slack), idle, UnixTime(now + life)), done);
        }
    }

    public bool Remove(string name, Action? done, out bool isDone)
    {
        isDone = true;
        lock (_gate)
        {
            if (!_sessions.Remove(name, out _))
                return false;
            isDone = _file is null || !_file.Remove(name, done);
        }

        _meter.Ended(SessionEnd.Removed);
        return true;
    }

    /// <summary>In bytes: one session must not drive out all others.</summary>
    public int LargestValue => (int)Math.Min(int.MaxValue / 2, _options.MaxBytes / 8);

    public void Dispose()
    {
        _sweeper.Dispose();
        _meter.Dispose();
        _file?.Dispose();
    }

    long Now => SessionTable<Stored>.Milliseconds(_options.Time.GetElapsedTime(_origin));

    // By the clock on the wall only as far as this store's own beginning: what jumps later does not count.
    long UnixTime(long milliseconds) => _began.ToUnixTimeMilliseconds() + milliseconds;

    void Load()
    {
        foreach (var row in _file?.Load(UnixTime(0)) ?? [])
        {
            var left = Math.Min(row.Expires - UnixTime(0), row.Idle);
            _sessions.Set(row.Name, new(row.Value, row.Idle, left - row.Idle), row.Value.Length, 0, left, row.Latest - UnixTime(0));
            _sessions.SetIdle(row.Name, row.Idle);
        }
    }

    void Ended(string name, Stored session, SessionEnd why)
    {
        _meter.Ended(why);
        _file?.Remove(name, null);
    }

    void Sweep()
    {
        lock (_gate)
            _sessions.Expire(Now);
    }

    record struct Stored(byte[] Value, long Idle, long Written);
}
