using System.Numerics;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>The cyclic redundancy check of Castagnoli, for which processors have an instruction: finds what a disk or a copy has damaged, and nothing that somebody has changed on purpose.</summary>
static class Crc32C
{
    /// <param name="bytes">What is checked.</param>
    /// <param name="check">That of what comes before.</param>
    public static uint Of(ReadOnlySpan<byte> bytes, uint check = uint.MaxValue)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            check = BitOperations.Crc32C(check, word);
        foreach (var one in bytes[(words.Length * sizeof(ulong))..])
            check = BitOperations.Crc32C(check, one);
        return check;
    }
}
