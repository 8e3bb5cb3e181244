using System.Globalization;

namespace Skein.Cli;

/// <summary>When failed jobs end the whole run: after <paramref name="Failures"/> of them no further job is started, and with <paramref name="Now"/> the running ones are stopped.</summary>
sealed record HaltRule(bool Now, int Failures)
{
    public const string Expected = "never, or soon,fail=N or now,fail=N with N from 1";

    public static HaltRule Default { get; } = new(Now: false, Failures: 1);

    /// <summary>What <c>--keep-going</c> means.</summary>
    public static HaltRule Never { get; } = new(Now: false, int.MaxValue);

    public static HaltRule? TryParse(string text)
    {
        if (text == "never")
            return Never;
        return text.Split(",fail=") is ["soon" or "now", var count]
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var failures) && failures > 0
            ? new(text.StartsWith("now", StringComparison.Ordinal), failures)
            : null;
    }
}
