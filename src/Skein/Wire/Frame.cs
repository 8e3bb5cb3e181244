namespace Skein;

/// <summary>What a frame of a byte stream is about.</summary>
enum FrameKind : byte
{
    /// <summary>The first of each side: version, and the secret that the other one must know.</summary>
    Hello = 1,

    /// <summary>A job to do.</summary>
    Call,

    /// <summary>What it gave.</summary>
    Result,

    /// <summary>The exception that it ended with.</summary>
    Fault,

    /// <summary>It is no longer wanted.</summary>
    Cancel,

    /// <summary>A report from it.</summary>
    Progress,

    /// <summary>A part of a sequence that it reads or writes.</summary>
    Stream,

    /// <summary>What the worker uses: memory, processor time.</summary>
    Stats,

    /// <summary>A question of the job to its caller.</summary>
    Callback,

    /// <summary>The answer to it.</summary>
    Answer,

    /// <summary>What a worker on this machine and its parent say to each other: the first byte of its body says what.</summary>
    Message,
}

/// <summary>One frame. Its body is valid until the next one is read.</summary>
readonly record struct Frame(FrameKind Kind, uint Number, ReadOnlyMemory<byte> Body)
{
    /// <summary>Bytes of the body for which there was no memory. Those before are there.</summary>
    public int Missing { get; init; }

    /// <summary>The longest body: that of the longest message.</summary>
    public const int MaxLength = WireLimits.MaxMessage;

    /// <summary>
    /// <code>
    /// offset 0 length of the body, u32   4 kind, u8   5 zero, u8   6 check, u16   8 number of the job, u32   12 body
    /// </code>
    /// Little end first. The check is the sum of the other five 16-bit words of the header: a reader that has lost its place in the
    /// stream, or reads what is none, finds out at the header and does not wait for a gigabyte that never comes.
    /// </summary>
    public const int HeaderLength = 12;
}
