using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Skein;

/// <summary>The requests of this process whose clients have named them, so that they can be cancelled from anywhere.</summary>
/// <param name="elsewhere">Asks the other processes that serve the same application; null where there are none.</param>
sealed class NamedRequests(Func<string, Task<CancelOutcome>>? elsewhere = null)
{
    const int LeastDigits = 32, MostDigits = 128;   // at least 128 bits: nobody guesses them

    readonly ConcurrentDictionary<string, Interruption> _running = new(StringComparer.OrdinalIgnoreCase);

    public static bool IsName([NotNullWhen(true)] string? name) => name?.Length is >= LeastDigits and <= MostDigits && name.All(char.IsAsciiHexDigit);

    /// <summary>False where another request has the name.</summary>
    public bool TryAdd(string name, Interruption interruption) => _running.TryAdd(name, interruption);

    public void Remove(string name) => _running.TryRemove(name, out _);

    /// <summary>Interrupts a request of this process; never waits.</summary>
    public bool TryCancel(string name)
    {
        if (!_running.TryGetValue(name, out var interruption))
            return false;
        interruption.Interrupt(InterruptionCause.Cancelled);
        return true;
    }

    /// <summary>Interrupts a request wherever it runs.</summary>
    public Task<CancelOutcome> CancelAsync(string name) =>
        TryCancel(name) ? Task.FromResult(CancelOutcome.Cancelled)
        : elsewhere is null || !IsName(name) ? Task.FromResult(CancelOutcome.Unknown)
        : elsewhere(name);
}

/// <summary>What has become of a cancel.</summary>
enum CancelOutcome
{
    /// <summary>No request has this name.</summary>
    Unknown,

    Cancelled,

    /// <summary>Not all who might know the request have answered.</summary>
    Unanswered,
}
