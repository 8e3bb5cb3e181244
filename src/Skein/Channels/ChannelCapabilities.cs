namespace Skein;

/// <summary>What a kind of channel promises. A flag is off only where docs/channels.md says so.</summary>
[Flags]
public enum ChannelCapabilities
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>One write is one read, whatever the size.</summary>
    KeepsBoundaries = 1,

    /// <summary>What was written arrives, as long as both sides live. Off for <see cref="ChannelKind.Udp"/>.</summary>
    Reliable = 2,

    /// <summary>Items of one writer arrive in the order in which they were written, each at most once.</summary>
    Ordered = 4,

    /// <summary>A writer waits while the channel is full. Off for <see cref="ChannelKind.Udp"/>, which drops instead.</summary>
    BackPressure = 8,

    /// <summary>Several processes may write.</summary>
    MultipleWriters = 16,

    /// <summary>Several processes may read; each item goes to one of them.</summary>
    MultipleReaders = 32,

    /// <summary>The ends can be arguments of processes in other places. Off for <see cref="ChannelKind.Memory"/>.</summary>
    CrossesProcesses = 64,

    /// <summary>When one side is killed the other is told. Off for <see cref="ChannelKind.Memory"/>, whose sides live and die together.</summary>
    DetectsPeerDeath = 128,

    /// <summary>Items can be read where they were written, without a copy: by reference, or in a <see cref="SharedRing"/>.</summary>
    ZeroCopy = 256,
}

/// <summary>The table of what each kind promises.</summary>
public static class ChannelKinds
{
    const ChannelCapabilities Every = ChannelCapabilities.KeepsBoundaries | ChannelCapabilities.Reliable | ChannelCapabilities.Ordered
        | ChannelCapabilities.BackPressure | ChannelCapabilities.MultipleWriters | ChannelCapabilities.MultipleReaders;

    const ChannelCapabilities BetweenProcesses = Every | ChannelCapabilities.CrossesProcesses | ChannelCapabilities.DetectsPeerDeath;

    /// <summary>What this kind promises.</summary>
    public static ChannelCapabilities Capabilities(this ChannelKind kind) => kind switch
    {
        ChannelKind.Memory => Every | ChannelCapabilities.ZeroCopy,
        ChannelKind.SharedMemory => BetweenProcesses | ChannelCapabilities.ZeroCopy,
        ChannelKind.Udp => BetweenProcesses & ~(ChannelCapabilities.Reliable | ChannelCapabilities.BackPressure),
        _ => BetweenProcesses,
    };
}
