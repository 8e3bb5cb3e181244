using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein.Bench.Channels;

/// <summary>
/// A <see cref="SharedRing"/> each way between this program and a process: 64 bytes there and back (the median, in nanoseconds), or
/// 4 KB messages one way (megabytes per second). The same work as <c>c/ring.c</c>, with the ring's own policy of waiting.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class RingContender(bool latency, int count) : Contender("SharedRing", latency ? "64 B, spin then futex, a processor each" : "4 KB, copied in and out, a processor each")
{
    readonly byte[] _message = new byte[latency ? 64 : 4096];
    SharedRing _there = null!, _back = null!;
    Process<long>? _process;

    public override Task StartAsync()
    {
        _there = SharedRing.Create();
        _back = SharedRing.Create();
        return StartOtherSideAsync();
    }

    async Task StartOtherSideAsync() =>
        _process = await Place.OsProcess.StartAsync(OtherSide, (_there.Reader, _back.Writer, latency ? 0 : count), new() { Processors = [1] });

    public override Task<double> MeasureAsync() => Task.Factory.StartNew(() =>
    {
        // One side each, as in C: left alone, the scheduler soon puts two sides that wake each other on one processor, where nobody can spin.
        var first = 1ul;
        if (SetProcessors(0, sizeof(ulong), in first) != 0)
            throw new InvalidOperationException($"sched_setaffinity: errno {Marshal.GetLastPInvokeError()}.");
        return latency ? Latency() : Throughput();
    }, TaskCreationOptions.LongRunning);

    public override async ValueTask DisposeAsync()
    {
        _there.Writer.Complete();
        if (_process is not null)
            await _process.DisposeAsync();
        _there.Dispose();
        _back.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetProcessors(int thread, nuint size, in ulong mask);

    double Latency()
    {
        var times = new long[count];
        for (var i = -count / 10; i < count; i++)
        {
            Number(_message, i);
            var started = Stopwatch.GetTimestamp();
            Send(_there.Writer, _message);
            Receive(_back.Reader, _message);
            if (i >= 0)
                times[i] = Stopwatch.GetTimestamp() - started;
            Check(_message, i + 1, i);
        }

        Array.Sort(times);
        return times[count / 2] * 1e9 / Stopwatch.Frequency;
    }

    double Throughput()
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            Number(_message, i);
            Send(_there.Writer, _message);
        }

        Receive(_back.Reader, _message.AsSpan(0, 8));   // the other side has read them all
        Check(_message, count, count - 1);
        return count * 4096.0 / 1e6 / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>In the process: answers each message (0), or reads so many and then says how many they were.</summary>
    static long OtherSide((RingReader There, RingWriter Back, int Count) work)
    {
        var (there, back, count) = work;
        var message = new byte[count == 0 ? 64 : 4096];
        long total = 0, seen = 0;
        while (there.Peek(out var arrived))
        {
            arrived.CopyTo(message);
            there.Release();
            total++;
            if (count == 0)
            {
                BitConverter.TryWriteBytes(message, BitConverter.ToInt64(message) + 1);
                Send(back, message);
                continue;
            }

            Check(message, seen, seen);
            if (++seen < count)
                continue;
            Send(back, MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in seen)));
            seen = 0;
        }

        back.Complete();
        return total;
    }

    static void Send(RingWriter ring, ReadOnlySpan<byte> message)
    {
        message.CopyTo(ring.Claim(message.Length));
        ring.Commit();
    }

    static void Receive(RingReader ring, Span<byte> message)
    {
        if (!ring.Peek(out var arrived) || arrived.Length != message.Length)
            throw new InvalidOperationException($"{arrived.Length} bytes arrived instead of {message.Length}.");
        arrived.CopyTo(message);
        ring.Release();
    }

    static void Number(Span<byte> message, long number)
    {
        BitConverter.TryWriteBytes(message, number);
        BitConverter.TryWriteBytes(message[^8..], number);
    }

    static void Check(ReadOnlySpan<byte> message, long first, long last)
    {
        var words = MemoryMarshal.Cast<byte, long>(message);
        if (words[0] != first || words[^1] != last)
            throw new InvalidOperationException($"({words[0]}, {words[^1]}) arrived instead of ({first}, {last}).");
    }
}
