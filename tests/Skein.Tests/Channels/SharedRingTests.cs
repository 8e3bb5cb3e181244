using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SharedRingTests
{
    [Fact]
    public async Task Spans_go_to_another_process_and_back_without_a_channel_of_objects()
    {
        using var there = SharedRing.Create(64 * 1024);
        using var back = SharedRing.Create(64 * 1024);
        await using var process = await Place.OsProcess.StartAsync(Double, (there.Reader, back.Writer)).Within();
        var sum = await Task.Run(() =>
        {
            var total = 0;
            for (var i = 0; i < 5000; i++)
            {
                there.Writer.Claim(1 + i % 200).Fill((byte)(i % 100));
                there.Writer.Commit();
                Assert.True(back.Reader.Peek(out var answer));
                Assert.Equal(1 + i % 200, answer.Length);
                Assert.Equal(-1, answer.IndexOfAnyExcept((byte)(i % 100 * 2)));
                total += answer.Length;
                back.Reader.Release();
            }

            there.Writer.Complete();
            Assert.False(back.Reader.Peek(out _));
            return total;
        }).Within();
        Assert.Equal(sum, await process.Completion.Within());
    }

    static int Double((RingReader There, RingWriter Back) ends)
    {
        var total = 0;
        while (ends.There.Peek(out var message))
        {
            var answer = ends.Back.Claim(message.Length);
            for (var i = 0; i < message.Length; i++)
                answer[i] = (byte)(message[i] * 2);
            total += message.Length;
            ends.Back.Commit();
            ends.There.Release();
        }

        ends.Back.Complete();
        return total;
    }

    [Fact]
    public async Task A_reader_asleep_on_the_ring_is_woken_when_its_writer_is_killed()
    {
        using var ring = SharedRing.Create();
        await using var process = await Place.OsProcess.StartAsync(CommitHalf, ring.Writer).Within();
        await Task.Run(() =>
        {
            Assert.True(ring.Reader.Peek(out var message));
            Assert.Equal(42, message[0]);
            ring.Reader.Release();
        }).Within();
        var reading = Task.Run(() => ring.Reader.Peek(out _));
        process.Kill();
        await Assert.ThrowsAsync<ChannelBrokenException>(() => reading.Within());
    }

    static int CommitHalf(RingWriter writer)
    {
        writer.Claim(1)[0] = 42;
        writer.Commit();
        writer.Claim(1)[0] = 43;   // never committed
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    [Fact]
    public void A_writer_learns_that_its_reader_has_left()
    {
        using var ring = SharedRing.Create();
        ring.Reader.Dispose();
        Assert.Throws<ChannelClosedException>(() =>
        {
            ring.Writer.Claim(8);
            ring.Writer.Commit();
        });
    }

    [Fact]
    public async Task A_ring_that_says_it_goes_on_at_its_start_for_ever_is_refused()
    {
        var reading = Task.Run(PeekAtTheLie);
        await Assert.ThrowsAsync<InvalidDataException>(() => reading.Within());
    }

    static unsafe bool PeekAtTheLie()
    {
        const int Capacity = 4096;
        fixed (byte* ring = new byte[(int)Ring.Size(Capacity)])
        {
            *(ulong*)ring = 8;                       // something was published,
            *(uint*)(ring + 4096) = uint.MaxValue;   // and the rest of the ring, which is all of it, is unused
            return new Ring(ring, Capacity).TryPeek(out _, out _);
        }
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using var ring = SharedRing.Create(4096);
        using var cancel = new CancellationTokenSource();
        var reading = Task.Run(() => ring.Reader.Peek(out _, cancel.Token));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.Within());
    }
}
