namespace Skein;

/// <summary>How much one message may hold. What is over a limit is refused before memory is taken for it.</summary>
static class WireLimits
{
    /// <summary>
    /// Bytes of one message: 1 GiB. More would be useful to few and would let one message take a small machine's memory twice (the
    /// buffer and the objects); and one array of .NET, in which a message is built, ends at 2 GiB. Larger data goes as a stream,
    /// a file, or in parts.
    /// </summary>
    public const int MaxMessage = 1 << 30;

    /// <summary>Objects of one message. Each takes memory long before its contents are read; 64 Mi of the smallest are 1.5 GiB.</summary>
    public const int MaxObjects = 1 << 26;

    /// <summary>
    /// Things that need what they contain before they can be made (a frozen set, a delegate's target, the arguments of a generic
    /// type), nested in each other. Each level is a frame on the stack; ordinary references are not limited by it.
    /// </summary>
    public const int MaxDepth = 64;

    /// <summary>
    /// Parts of one generic type, each counted as often as it occurs. A tuple of two equal tuples of two equal tuples, and so on thirty times, is
    /// described in two hundred bytes, and who looks at all of its parts is never done. Nobody writes a type of a thousand.
    /// </summary>
    public const int MaxTypeParts = 1 << 12;

    /// <summary>
    /// Bytes of a generic struct, which doubles in the same way with each level. It lies on the stack while it is read, and so do the structs in it
    /// once more; a thread that reads has 256 KiB.
    /// </summary>
    public const int MaxGenericStruct = 1 << 15;

    /// <summary>
    /// Types, methods and functions that a connection remembers, of each kind. Beyond it they are described in full each time: a
    /// program that makes ever new generic types gets slower, not larger.
    /// </summary>
    public const int MaxDescriptions = 1 << 14;

    /// <summary>A buffer up to this size is kept between messages; larger ones go back to the pool once they are no longer needed.</summary>
    public const int KeptBuffer = 1 << 18;
}
