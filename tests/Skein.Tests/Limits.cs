namespace Skein.Tests;

/// <summary>Every wait of the tests has a limit, and all limits are scaled by one number for slow machines.</summary>
static class Limits
{
    /// <summary>How many times slower than a quiet workstation the machine may be: <c>SKEIN_TEST_SLOWNESS</c>, by default 4.</summary>
    static readonly double Slowness =
        double.TryParse(Environment.GetEnvironmentVariable("SKEIN_TEST_SLOWNESS"), System.Globalization.CultureInfo.InvariantCulture, out var s) ? s : 4;

    /// <summary>True where <c>./check --long</c> runs: full numbers of rounds.</summary>
    public static bool Long { get; } = Environment.GetEnvironmentVariable("SKEIN_TEST_LONG") == "1";

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds * Slowness);

    /// <summary>Awaits a task, but no longer than the limit.</summary>
    public static Task<T> Within<T>(this Task<T> task, double seconds = 10) => task.WaitAsync(Seconds(seconds));

    public static Task Within(this Task task, double seconds = 10) => task.WaitAsync(Seconds(seconds));

    public static Task<T> Within<T>(this ValueTask<T> task, double seconds = 10) => task.AsTask().WaitAsync(Seconds(seconds));

    /// <summary>Waits until something outside of this process has become true; fails with what it waited for.</summary>
    public static Task Until(Func<bool> condition, string what, double seconds = 10) => Until(condition, () => what, seconds);

    /// <summary>The same, where what it waited for is described as it is at the end.</summary>
    public static Task Until(Func<bool> condition, Func<string> what, double seconds = 10) => Until(() => Task.FromResult(condition()), what, seconds);

    /// <summary>The same, where it has to be asked for.</summary>
    public static async Task Until(Func<Task<bool>> condition, Func<string> what, double seconds = 10)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Seconds(seconds), $"waited in vain for: {what()}");
            await Task.Delay(TimeSpan.FromMilliseconds(2));
        }
    }
}
