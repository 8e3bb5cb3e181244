using System.Diagnostics;

namespace Skein.Bench;

/// <summary>The limit of every wait: a measurement that hangs is an error, not a night.</summary>
static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Limit);

    public static Task Within(this Task task) => task.WaitAsync(Limit);

    /// <summary>Waits until something has become true.</summary>
    public static async Task Until(Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
                throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(1));
        }
    }
}
