namespace Skein;

/// <summary>An end of a channel between processes: what its surrogate needs, whatever the type of its items.</summary>
interface IChannelEnd
{
    ChannelEnd End { get; }

    Type ItemType { get; }

    /// <summary>Why this end cannot be sent to another process now, or null. With the gate held.</summary>
    string? WhyItMustStay();

    /// <summary>The end was sent: here it is closed, and says so to whoever uses it.</summary>
    void HandOver();
}
