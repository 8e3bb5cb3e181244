using System.Globalization;

namespace Skein;

/// <summary>An amount of memory as people write it: <c>64M</c>, <c>1.5G</c>, <c>4096</c>. K is 1024 bytes, M 1024 K, and so on.</summary>
static class MemorySize
{
    /// <exception cref="ArgumentException">It is none.</exception>
    public static long Parse(string text, string name)
    {
        var number = text.AsSpan().TrimEnd("iBb");
        var factor = number.IsEmpty ? 0 : char.ToUpperInvariant(number[^1]) switch
        {
            'K' => 1L << 10,
            'M' => 1L << 20,
            'G' => 1L << 30,
            _ => 1,
        };
        if (factor > 1)
            number = number[..^1];
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count * factor is >= 1 and <= long.MaxValue / 2
            ? (long)(count * factor)
            : throw new ArgumentException($"'{text}' is no amount of memory: expected is a size such as 64M, 1.5G or 4096 (bytes).", name);
    }
}
