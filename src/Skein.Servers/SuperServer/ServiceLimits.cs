namespace Skein;

/// <summary>What one service of a <see cref="SuperServer"/> may use. Null is without limit.</summary>
public sealed record ServiceLimits
{
    /// <summary>How many connections are served at a time; more wait in the system's queue. 100 by default.</summary>
    public int Instances { get; init; } = 100;

    /// <summary>How many of them may be of one source: an address of IPv4, a network of 64 bits of IPv6. More are refused at once.</summary>
    public int? InstancesPerSource { get; init; }

    /// <summary>How often one source may connect; beyond that it is refused, others are not.</summary>
    public Rate? RatePerSource { get; init; }

    /// <summary>How often all together may connect, or a program that waits be started; beyond that all are refused during the pause.</summary>
    public Rate? Rate { get; init; }

    /// <summary>A TCP connection over which nothing went in either direction for so long is ended with the program that serves it.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>How long a program may run, or a handler serve one connection.</summary>
    public TimeSpan? WallTime { get; init; }

    /// <summary>How long what is ended may take to do so itself (SIGTERM, or its token) before it is killed: 2 s by default.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes of memory, for each program with all it starts, or for each worker.</summary>
    public long? Memory { get; init; }

    /// <summary>How many processors' time each program with all it starts may use: 0.5 is half of one.</summary>
    public double? Processors { get; init; }

    /// <summary>How much processor time each process of a program may use in all; a whole number of seconds.</summary>
    public TimeSpan? ProcessorTime { get; init; }

    /// <summary>How many processes and threads each program may be, with all it starts.</summary>
    public int? Processes { get; init; }

    /// <summary>
    /// A service whose program fails at once (it ends within a second with another code than 0, or by a signal) so many times in a row is
    /// disabled: for 1 s at first, then twice as long each time, up to a minute. 10 by default; 0: never.
    /// </summary>
    public int Failures { get; init; } = 10;
}

/// <summary>So many in a time; beyond that a pause.</summary>
/// <param name="Count">How many.</param>
/// <param name="Per">In what time: it begins with the first.</param>
/// <param name="Pause">How long none is let through then.</param>
public sealed record Rate(int Count, TimeSpan Per, TimeSpan Pause);
