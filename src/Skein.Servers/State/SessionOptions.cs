namespace Skein;

/// <summary>How long sessions live, and how many and how large they may be together. The least recently used go first.</summary>
public sealed record SessionOptions
{
    /// <summary>A session ends when nothing has used it for so long: 20 minutes by default.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>A session ends so long after its beginning, however much it is used: a day by default.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How many live at a time: a million by default.</summary>
    public int MaxSessions { get; init; } = 1_000_000;

    /// <summary>How many bytes all of them take, names included: 512 MiB by default. One session takes at most an eighth of it.</summary>
    public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Whether what was stored outlives a crash of everything; it is then in <see cref="File"/>, a database of SQLite.</summary>
    public bool Durable { get; init; }

    /// <summary>Where durable sessions are kept: by default <c>sessions.db</c> in the working folder.</summary>
    public string File { get; init; } = "sessions.db";

    /// <summary>
    /// The name under which the sessions of a <see cref="SessionTable{T}"/> go on in the process that takes the place of this one, when this one
    /// drains: the same in both, and one table of each name in a process. It is for handlers of a super-server. Null: they end with their process.
    /// </summary>
    public string? HandOverAs { get; init; }

    /// <summary>The clock; durations are measured by its timestamps, which do not jump.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal SessionOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(IdleTimeout, TimeSpan.FromMilliseconds(1), nameof(IdleTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(Lifetime, IdleTimeout, nameof(Lifetime));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSessions, 1, nameof(MaxSessions));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 1, nameof(MaxBytes));
        ArgumentException.ThrowIfNullOrEmpty(File, nameof(File));
        ArgumentNullException.ThrowIfNull(Time, nameof(Time));
        return this;
    }
}
