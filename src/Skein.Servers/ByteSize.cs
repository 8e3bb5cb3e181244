using System.Globalization;

namespace Skein;

/// <summary>An amount of memory as people write it: <c>64M</c>, <c>1.5G</c>, <c>4096</c>. K is 1024 bytes, M 1024 K, and so on.</summary>
static class ByteSize
{
    public const string Expected = "a size such as 64M, 1.5G or 4096 (bytes)";

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var number = text.AsSpan().TrimEnd("iBb");
        var factor = number.IsEmpty ? 0 : char.ToUpperInvariant(number[^1]) switch
        {
            'K' => 1L << 10,
            'M' => 1L << 20,
            'G' => 1L << 30,
            'T' => 1L << 40,
            _ => 1,
        };
        if (factor > 1)
            number = number[..^1];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            return false;
        var exact = count * factor;
        if (exact is not (>= 1 and <= long.MaxValue / 2))   // NaN is a number to the framework
            return false;
        bytes = (long)exact;
        return true;
    }

    /// <summary>The shortest form that <see cref="TryParse"/> reads back to about the same size.</summary>
    public static string Format(long bytes) => bytes switch
    {
        >= 10L << 30 => Invariant($"{bytes >> 30}G"),
        >= 1L << 30 => Invariant($"{bytes / (double)(1L << 30):0.#}G"),
        >= 1L << 20 => Invariant($"{bytes >> 20}M"),
        >= 1L << 10 => Invariant($"{bytes >> 10}K"),
        _ => Invariant($"{bytes}"),
    };

    static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
