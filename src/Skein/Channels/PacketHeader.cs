using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Before each packet: whose it is, and how much of its item is still to come.</summary>
/// <param name="Rest">Bytes of the item after this packet; 0 in its last one.</param>
/// <param name="Number">Counts the items of one writer, so that a late or lost datagram is noticed.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
readonly record struct PacketHeader(ushort Writer, PacketFlags Flags, uint Rest, ulong Number)
{
    public const int Size = 16;
}

[Flags]
enum PacketFlags : ushort
{
    /// <summary>The packet begins an item.</summary>
    First = 1,

    /// <summary>The item was written without reference to items before it: any reader can make it.</summary>
    StandsAlone = 2,

    /// <summary>The writer tells its types anew: it has just begun, or has come from another process.</summary>
    NewSession = 4,

    /// <summary>The item is bytes as they lie in memory, without the graph codec.</summary>
    Plain = 8,
}
