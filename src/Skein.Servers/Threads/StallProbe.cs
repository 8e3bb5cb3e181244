namespace Skein;

/// <summary>
/// Finds out how long all threads of a server have been held without a move, that is, for how long tasks have found none of them free (they
/// wait, or were refused) while none has begun or ended to run anything. Handlers that take long and await now and then move; those
/// that block or spin, or await what never comes, do not.
/// </summary>
sealed class StallProbe(HandlerThreads threads, TimeProvider time)
{
    long _moves, _unserved;
    long? _since;
    TimeSpan _held;

    /// <summary>From the first to the last look that found somebody held up, without a move in between; to be asked again and again, by one thread.</summary>
    public TimeSpan Look()
    {
        var (moves, unserved, waits) = threads.Progress();
        if (moves != _moves)
            (_since, _held) = (null, TimeSpan.Zero);
        if (waits || unserved != _unserved)
        {
            var now = time.GetTimestamp();
            _held = time.GetElapsedTime(_since ??= now, now);
        }

        (_moves, _unserved) = (moves, unserved);
        return _held;
    }
}
