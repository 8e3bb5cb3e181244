using System.Runtime.ExceptionServices;

namespace Skein;

/// <summary>
/// What became of one input of a mapping. An error costs its own input and no other: the loop goes on.
/// <code>
/// await foreach (var page in pool.MapUnorderedAsync(files, Pages.Render))
///     Console.WriteLine(page.Error is { } error ? $"{page.Input}: {error.Message}" : page.Value);
/// </code>
/// It converts to its value, so <c>await foreach (string text in pool.MapAsync(…))</c> takes the values and stops at the first error.
/// </summary>
public readonly struct Outcome<TInput, TResult>
{
    readonly TResult _value;

    internal Outcome(long index, TInput input, TResult value, Exception? error)
    {
        Index = index;
        Input = input;
        _value = value;
        Error = error;
    }

    /// <summary>The position of the input, from 0.</summary>
    public long Index { get; }

    /// <summary>What the function was called with.</summary>
    public TInput Input { get; }

    /// <summary>Why there is no value; null when there is one.</summary>
    public Exception? Error { get; }

    /// <summary>Whether there is a value.</summary>
    public bool Succeeded => Error is null;

    /// <summary>What the function returned.</summary>
    /// <exception cref="Exception">What it threw, or what happened to its process.</exception>
    public TResult Value
    {
        get
        {
            if (Error is { } error)
                ExceptionDispatchInfo.Throw(error);
            return _value;
        }
    }

    /// <summary>The <see cref="Value"/>.</summary>
    public static implicit operator TResult(Outcome<TInput, TResult> outcome) => outcome.Value;
}
