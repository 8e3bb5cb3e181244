using System.Diagnostics;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// How long to look for the next message before going to sleep. A wake-up across processors costs 13 to 30 µs on a virtual machine, so
/// looking pays when messages come faster than that; it costs a processor when they do not. The policy learns which it is: it looks
/// twice as long after each success and half as long after each failure, and when the processor was taken away while it looked, somebody
/// else needs it more, so it stops at once.
/// </summary>
struct SpinPolicy()
{
    // One wake-up: looking longer than what it saves cannot pay.
    static readonly long Longest = 50 * Stopwatch.Frequency / 1_000_000;
    static readonly long Shortest = Stopwatch.Frequency / 1_000_000;

    // Between two looks lie some 100 ns. A gap of this size means that the scheduler ran something else here.
    static readonly long Preempted = 20 * Stopwatch.Frequency / 1_000_000;

    // After a run of failures, one in so many waits tries again.
    const int ProbeEvery = 16;

    long _budget = Longest;
    int _waits;

    /// <summary>True as soon as the ring has a message; false when it is time to sleep.</summary>
    [SupportedOSPlatform("linux")]
    public bool Look(Ring ring)
    {
        var budget = _budget;
        if (budget < Shortest)
        {
            if (++_waits % ProbeEvery != 0)
                return ring.IsReadable;
            budget = 4 * Shortest;
        }

        var started = Stopwatch.GetTimestamp();
        var last = started;
        while (true)
        {
            for (var i = 0; i < 8; i++)
            {
                if (ring.IsReadable)
                {
                    _budget = Math.Min(Longest, Math.Max(budget, 4 * Shortest) * 2);
                    return true;
                }

                Thread.SpinWait(1);
            }

            var now = Stopwatch.GetTimestamp();
            if (now - last > Preempted)
            {
                _budget = 0;
                return ring.IsReadable;
            }

            if (now - started > budget)
            {
                _budget /= 2;
                return false;
            }

            last = now;
        }
    }
}
