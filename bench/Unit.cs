using System.Globalization;

namespace Skein.Bench;

/// <summary>What a figure counts, and which way is better.</summary>
sealed record Unit(string Name, bool MoreIsBetter)
{
    public static readonly Unit Nanoseconds = new("ns", false), Microseconds = new("µs", false), Milliseconds = new("ms", false);
    public static readonly Unit Megabytes = new("MB", false), Bytes = new("bytes", false);
    public static readonly Unit Percent = new("%", true);
    public static readonly Unit PerSecond = new("/s", true), MegabytesPerSecond = new("MB/s", true);

    /// <summary>How many times better the first figure is than the second.</summary>
    public double Times(double ours, double peers) => MoreIsBetter ? ours / peers : peers / ours;

    /// <summary>Three significant digits: the rest is noise.</summary>
    public string Print(double value) => value switch
    {
        double.PositiveInfinity => "never",
        >= 1e3 when this == MegabytesPerSecond => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.00} GB/s"),
        >= 1e4 when this == Nanoseconds => Microseconds.Print(value / 1e3),
        >= 1e4 when this == Microseconds => Milliseconds.Print(value / 1e3),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.00} M{Name}"),
        >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.0} k{Name}"),
        >= 100 => string.Create(CultureInfo.InvariantCulture, $"{value:0} {Name}"),
        >= 10 => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Name}"),
        >= 1 => string.Create(CultureInfo.InvariantCulture, $"{value:0.00} {Name}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.000} {Name}"),
    };
}
