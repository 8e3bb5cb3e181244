using System.Globalization;

namespace Skein.Cli;

/// <summary>A time as people write it: <c>500ms</c>, <c>1s</c>, <c>1.5m</c>, <c>2h</c>, <c>5d</c>, or plain seconds as timeout(1) takes them.</summary>
static class Duration
{
    public const string Expected = "a time such as 500ms, 1s, 1.5m, 2h, 5d or 10 (seconds), at most 49d";

    /// <summary>What a timer can wait for.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    public static bool TryParse(string text, out TimeSpan time)
    {
        time = default;
        var digits = text.AsSpan().TrimEnd("smhd");
        double? seconds = text[digits.Length..] switch
        {
            "ms" => 0.001,
            "s" or "" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => null,
        };
        if (seconds is null || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            return false;
        if (!double.IsFinite(count) || count * seconds.Value > Longest.TotalSeconds)   // NaN and -Infinity are read whatever the style
            return false;
        time = TimeSpan.FromSeconds(count * seconds.Value);
        return true;
    }

    /// <summary>For messages and the display: <c>0.4 s</c>, <c>12 s</c>, <c>3:07</c>, <c>2:00:09</c>.</summary>
    public static string Format(TimeSpan time) => time switch
    {
        { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}"),
    };
}
