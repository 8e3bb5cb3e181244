using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// How long one side of a <see cref="Ring"/> polls before it sleeps. A wake-up costs 2-5 µs when both sides share a processor and
/// 13-30 µs across processors, where polling sees the other side after 0.1 µs. On one processor polling only keeps the other side
/// from running. So: never on one processor, about one wake-up's time across two, and less and less often while it does not pay.
/// </summary>
[SupportedOSPlatform("linux")]
struct RingSpin
{
    /// <summary>About the cost of one wake-up: spinning longer costs more than it can save.</summary>
    static readonly long Budget = TimeProvider.System.TimestampFrequency / 50_000;   // 20 µs

    const int MostSkips = 256;

    // Before it is even asked where the other side runs and what time it is, which costs as much as half an answer takes.
    const int Glances = 48;

    int _skips, _toSkip;
    bool _pays;   // the last time, polling was allowed and paid

    /// <summary>True when a message has come.</summary>
    public bool SpinUntilReadable(Ring ring)
    {
        for (var i = 0; i < Glances; i++)
        {
            if (ring.IsReadable)
                return true;
            if (!_pays)
                break;
            Pause();
        }

        return MaySpin(ref ring.ConsumerCpu, ref ring.ProducerCpu) && Paid(SpinRead(ring));
    }

    /// <summary>True when room was freed since the last failed claim.</summary>
    public bool SpinUntilWritable(Ring ring)
    {
        if (ring.HasFreed)
            return true;
        return MaySpin(ref ring.ProducerCpu, ref ring.ConsumerCpu) && Paid(SpinWrite(ring));
    }

    bool MaySpin(ref int mine, ref int theirs)
    {
        _pays = false;
        var here = Cpu.Current() + 1;
        Volatile.Write(ref mine, here);
        if (Volatile.Read(ref theirs) == here)   // not ProcessorCount: it is 1 where this side is kept on one processor
            return false;
        return _toSkip == 0 || --_toSkip == 0;
    }

    /// <summary>A side that was away longer than the budget will be so again: each failure in a row doubles the pause.</summary>
    bool Paid(bool paid)
    {
        _pays = paid;
        _skips = paid ? 0 : Math.Min(_skips * 2 + 1, MostSkips);
        _toSkip = _skips;
        return paid;
    }

    static bool SpinRead(Ring ring)
    {
        var started = TimeProvider.System.GetTimestamp();
        do
        {
            for (var i = 0; i < 32; i++)
            {
                if (ring.IsReadable || ring.IsClosed)
                    return true;
                Pause();
            }
        }
        while (TimeProvider.System.GetTimestamp() - started < Budget);
        return false;
    }

    static bool SpinWrite(Ring ring)
    {
        var started = TimeProvider.System.GetTimestamp();
        do
        {
            for (var i = 0; i < 32; i++)
            {
                if (ring.HasFreed || ring.IsClosed)
                    return true;
                Pause();
            }
        }
        while (TimeProvider.System.GetTimestamp() - started < Budget);
        return false;
    }

    /// <summary>One instruction: the two processors may be one core's, and who polls without it takes half of the other's time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Pause()
    {
        if (X86Base.IsSupported)
            X86Base.Pause();
        else
            Thread.SpinWait(1);
    }
}
