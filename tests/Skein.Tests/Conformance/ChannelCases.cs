using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein.Tests;

/// <summary>What every kind of channel promises; where kinds differ a flag says so. A kind joins by one line in ChannelTests.cs.</summary>
[SupportedOSPlatform("linux")]
public abstract class ChannelCases(ChannelKind kind)
{
    protected ChannelKind Kind { get; } = kind;

    protected bool Has(ChannelCapabilities flags) => (Kind.Capabilities() & flags) == flags;

    protected void Needs(ChannelCapabilities flag) => Assert.SkipUnless(Has(flag), $"{Kind} does not promise {flag}");

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed + length).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public async Task Items_arrive_in_order_and_then_the_channel_completes()
    {
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 16);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
                await channel.Writer.WriteAsync(i, Stop);
            channel.Writer.Complete();
        }, Stop);

        var read = new List<int>();
        await foreach (var item in channel.Reader.ReadAllAsync(Stop))
            read.Add(item);

        await writing.Within();
        await channel.Reader.Completion.Within();
        if (Has(ChannelCapabilities.Reliable))
            Assert.Equal(Enumerable.Range(0, 2000), read);
        else
            Assert.Equal(read.Distinct().Order(), read);
        Assert.NotEmpty(read);
        Assert.False(await channel.Reader.WaitToReadAsync(Stop));
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.Reader.ReadAsync(Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4080)]
    [InlineData(4081)]
    [InlineData(65_000)]
    [InlineData(3_000_001)]
    public async Task An_item_of_any_length_arrives_whole(int length)
    {
        Assert.SkipUnless(length <= 65_000 || Has(ChannelCapabilities.Reliable), "a datagram is at most 65,000 bytes");
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
        var writing = Task.Run(async () =>
        {
            await channel.Writer.WriteAsync(Bytes(length), Stop);
            await channel.Writer.WriteAsync(Bytes(3), Stop);
            channel.Writer.Complete();
        }, Stop);

        Assert.Equal(Bytes(length), await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal(Bytes(3), await channel.Reader.ReadAsync(Stop).Within());
        Assert.False(await channel.Reader.WaitToReadAsync(Stop).Within());
        await writing.Within();
    }

    [Fact]
    public async Task A_long_item_that_was_not_awaited_goes_out_while_it_is_read()
    {
        Needs(ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
        Assert.True(channel.Writer.TryWrite(Bytes(5_000_000)));
        channel.Writer.Complete();
        Assert.Equal(Bytes(5_000_000), await channel.Reader.ReadAsync(Stop).Within());
        await channel.Reader.Completion.Within();
    }

    [Fact]
    public async Task Objects_arrive_as_they_were()
    {
        await using var channel = ProcessChannel.Create<Letter>(Kind);
        var sent = new Letter("Ann", ["Bob", "Cid"], new() { ["weight"] = 20.5 });
        for (var i = 0; i < 3; i++)
            await channel.Writer.WriteAsync(sent, Stop);
        for (var i = 0; i < 3; i++)
        {
            var received = await channel.Reader.ReadAsync(Stop).Within();
            Assert.Equal(sent.From, received.From);
            Assert.Equal(sent.To, received.To);
            Assert.Equal(sent.Data, received.Data);
        }
    }

    [Fact]
    public async Task A_full_channel_makes_its_writer_wait()
    {
        Needs(ChannelCapabilities.BackPressure);
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 4);
        for (var i = 0; i < 4; i++)
            Assert.True(channel.Writer.TryWrite(i));
        Assert.False(channel.Writer.TryWrite(99));

        var waiting = channel.Writer.WriteAsync(4, Stop).AsTask();
        var canWrite = channel.Writer.WaitToWriteAsync(Stop).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.False(canWrite.IsCompleted);
        Assert.Equal(0, await channel.Reader.ReadAsync(Stop).Within());
        await waiting.Within();
        Assert.Equal(1, await channel.Reader.ReadAsync(Stop).Within());
        Assert.True(await canWrite.Within());
        for (var i = 2; i < 5; i++)
            Assert.Equal(i, await channel.Reader.ReadAsync(Stop).Within());
        Assert.False(channel.Reader.TryRead(out _));
    }

    [Fact]
    public async Task An_error_comes_after_what_was_written_before_it()
    {
        await using var channel = ProcessChannel.Create<int>(Kind);
        await channel.Writer.WriteAsync(1, Stop);
        await channel.Writer.WriteAsync(2, Stop);
        channel.Writer.Complete(new TimeoutException("the scanner jammed"));

        Assert.Equal(1, await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal(2, await channel.Reader.ReadAsync(Stop).Within());
        var error = await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal("the scanner jammed", error.InnerException?.Message);
        await Assert.ThrowsAnyAsync<Exception>(() => channel.Reader.Completion.Within());
        Assert.False(channel.Writer.TryWrite(3));
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.Writer.WriteAsync(3, Stop).AsTask().Within());
    }

    [Fact]
    public async Task An_error_comes_after_long_items_that_are_still_on_their_way()
    {
        Needs(ChannelCapabilities.Reliable);
        for (var round = 0; round < 10; round++)
        {
            await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 4);
            var sent = Bytes(2_000_000);
            Assert.True(channel.Writer.TryWrite(sent));
            channel.Writer.Complete(new TimeoutException("the scanner jammed"));
            Assert.Equal(sent, await channel.Reader.ReadAsync(Stop).Within());
            var error = await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.Reader.ReadAsync(Stop).Within());
            Assert.Equal("the scanner jammed", error.InnerException?.Message);
        }
    }

    [Fact]
    public async Task A_cancelled_read_takes_nothing()
    {
        await using var channel = ProcessChannel.Create<int>(Kind);
        for (var i = 0; i < 50; i++)
        {
            using var cancel = new CancellationTokenSource();
            var reading = channel.Reader.ReadAsync(cancel.Token).AsTask();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.Within());
            await channel.Writer.WriteAsync(i, Stop);
            Assert.Equal(i, await channel.Reader.ReadAsync(Stop).Within());
        }
    }

    [Fact]
    public async Task A_read_that_is_cancelled_while_an_item_comes_either_gets_it_or_leaves_it()
    {
        Needs(ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 4);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
                await channel.Writer.WriteAsync(i, Stop);
            channel.Writer.Complete();
        }, Stop);

        var read = new List<int>();
        while (!channel.Reader.Completion.IsCompleted)
        {
            using var cancel = new CancellationTokenSource(TimeSpan.FromMicroseconds(50));
            try
            {
                read.Add(await channel.Reader.ReadAsync(cancel.Token).Within());
            }
            catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
            {
            }
        }

        await writing.Within();
        Assert.Equal(Enumerable.Range(0, 300), read);
    }

    [Fact]
    public async Task A_cancelled_write_writes_nothing()
    {
        Needs(ChannelCapabilities.BackPressure);
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 1);
        await channel.Writer.WriteAsync(1, Stop);
        using var cancel = new CancellationTokenSource();
        var writing = channel.Writer.WriteAsync(2, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.Within());

        Assert.Equal(1, await channel.Reader.ReadAsync(Stop).Within());
        Assert.False(channel.Reader.TryRead(out _));
        Assert.True(channel.Writer.TryWrite(3));
        Assert.Equal(3, await channel.Reader.ReadAsync(Stop).Within());
    }

    [Fact]
    public async Task Several_writers_complete_the_channel_together()
    {
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 8);
        ChannelWriter<int>[] writers = [channel.Writer, channel.AddWriter(), channel.AddWriter()];
        var writing = writers.Select((writer, number) => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
                await writer.WriteAsync(number * 1000 + i, Stop);
            writer.Complete();
        }, Stop)).ToArray();

        var read = new List<int>();
        await foreach (var item in channel.Reader.ReadAllAsync(Stop))
            read.Add(item);
        await Task.WhenAll(writing).Within();
        for (var number = 0; number < 3; number++)
        {
            var own = read.Where(item => item / 1000 == number).ToArray();
            Assert.Equal(own.Distinct().Order(), own);
            Assert.True(own.Length == 200 || !Has(ChannelCapabilities.Reliable), $"{own.Length} of 200 items arrived");
        }
    }

    [Fact]
    public async Task Several_writers_do_not_mix_their_long_items()
    {
        Needs(ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 4);
        ChannelWriter<byte[]>[] writers = [channel.Writer, channel.AddWriter()];
        var writing = writers.Select((writer, number) => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
                await writer.WriteAsync(Bytes(300_000 + number, seed: number), Stop);
            writer.Complete();
        }, Stop)).ToArray();

        var counts = new int[2];
        await foreach (var item in channel.Reader.ReadAllAsync(Stop))
        {
            var number = item.Length - 300_000;
            Assert.Equal(Bytes(300_000 + number, seed: number), item);
            counts[number]++;
        }

        await Task.WhenAll(writing).Within();
        Assert.Equal([10, 10], counts);
    }

    [Fact]
    public async Task Several_readers_share_the_items()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        ChannelReader<byte[]>[] readers = [channel.Reader, channel.AddReader(), channel.AddReader()];
        var reading = readers.Select(reader => Task.Run(async () =>
        {
            var read = new List<int>();
            await foreach (var item in reader.ReadAllAsync(Stop))
            {
                Assert.Equal(Bytes(item.Length), item);
                read.Add(item.Length);
            }

            return read;
        }, Stop)).ToArray();

        for (var i = 0; i < 300; i++)
            await channel.Writer.WriteAsync(Bytes(i % 10 == 0 ? 20_000 + i : i), Stop);
        channel.Writer.Complete();
        var read = (await Task.WhenAll(reading).Within()).SelectMany(r => r).Order().ToArray();
        if (Has(ChannelCapabilities.Reliable))
            Assert.Equal(Enumerable.Range(0, 300).Select(i => i % 10 == 0 ? 20_000 + i : i).Order(), read);
        else
            Assert.Equal(read.Distinct(), read);
    }

    [Fact]
    public async Task A_reader_that_has_a_part_of_an_item_does_not_hold_up_the_others()
    {
        Needs(ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 4);
        var other = channel.AddReader();
        var writing = Task.Run(async () =>
        {
            await channel.Writer.WriteAsync(Bytes(5_000_000), Stop);
            await channel.Writer.WriteAsync(Bytes(3), Stop);
            channel.Writer.Complete();
        }, Stop);
        byte[]? whole = null;
        await Limits.Until(() => channel.Reader.TryRead(out whole) || channel.Reader is IChannelEnd end && end.WhyItMustStay() is not null, "a part of the item");
        var why = (channel.Reader as IChannelEnd)?.WhyItMustStay();
        var second = await other.ReadAsync(Stop).Within();
        Assert.True(second.Length == 3, $"{second.Length} {whole?.Length} {why}");
        Assert.Equal(Bytes(3), second);   // nobody reads on here
        Assert.Equal(Bytes(5_000_000), whole ?? await channel.Reader.ReadAsync(Stop).Within());
        await writing.Within();
    }

    [Fact]
    public async Task A_writer_waits_as_long_as_another_one_keeps_it_from_writing()
    {
        Needs(ChannelCapabilities.BackPressure);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 4);
        var other = channel.AddWriter();
        Assert.True(channel.Writer.TryWrite(new byte[12_000_000]));   // its turn lasts until all of it is out, where that takes a reader
        var written = other.TryWrite([1]);
        var waiting = other.WaitToWriteAsync(Stop).AsTask();
        Assert.Equal(written, waiting.IsCompleted);
        Assert.Equal(12_000_000, (await channel.Reader.ReadAsync(Stop).Within()).Length);
        Assert.True(await waiting.Within());
    }

    [Fact]
    public async Task A_completed_writer_that_is_closed_while_its_last_item_goes_out_ends_the_channel_cleanly()
    {
        Needs(ChannelCapabilities.CrossesProcesses | ChannelCapabilities.Reliable);
        for (var round = 0; round < 10; round++)
        {
            await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
            Assert.True(channel.Writer.TryWrite(new byte[5_000_000]));
            channel.Writer.Complete();
            var reading = channel.Reader.ReadAsync(Stop).AsTask();
            await ((EndWriter<byte[]>)channel.Writer).CloseAsync(Limits.Seconds(10)).AsTask().Within(20);
            Assert.Equal(5_000_000, (await reading.Within()).Length);
            await channel.Reader.Completion.Within();
        }
    }

    [Fact]
    public async Task Closing_a_channel_waits_no_longer_than_it_may_for_a_reader_that_does_not_read()
    {
        Needs(ChannelCapabilities.CrossesProcesses | ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
        Assert.True(channel.Writer.TryWrite(Bytes(12_000_000)));
        channel.Writer.Complete();
        await ((EndWriter<byte[]>)channel.Writer).CloseAsync(TimeSpan.FromMilliseconds(50)).AsTask().Within();
    }

    [Fact]
    public async Task Ends_are_added_before_the_first_use_only()
    {
        Needs(ChannelCapabilities.CrossesProcesses);
        await using var channel = ProcessChannel.Create<int>(Kind);
        await channel.Writer.WriteAsync(1, Stop);
        Assert.Throws<InvalidOperationException>(channel.AddWriter);
        Assert.Throws<InvalidOperationException>(channel.AddReader);
    }

    [Fact]
    public async Task A_writer_that_leaves_without_completing_is_a_fault()
    {
        Needs(ChannelCapabilities.DetectsPeerDeath);
        await using var channel = ProcessChannel.Create<int>(Kind);
        await channel.Writer.WriteAsync(1, Stop);
        ((IDisposable)channel.Writer).Dispose();
        Assert.Equal(1, await channel.Reader.ReadAsync(Stop).Within());
        await Assert.ThrowsAsync<ChannelBrokenException>(async () => await channel.Reader.ReadAsync(Stop).Within());
        await Assert.ThrowsAsync<ChannelBrokenException>(() => channel.Reader.Completion.Within());
    }

    [Fact]
    public async Task A_reader_that_leaves_ends_the_writing()
    {
        Needs(ChannelCapabilities.DetectsPeerDeath);
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 2);
        if (Has(ChannelCapabilities.BackPressure))
        {
            await channel.Writer.WriteAsync(1, Stop);
            await channel.Writer.WriteAsync(2, Stop);
            var waiting = channel.Writer.WriteAsync(3, Stop).AsTask();
            ((IDisposable)channel.Reader).Dispose();
            await Assert.ThrowsAsync<ChannelClosedException>(() => waiting.Within());
        }
        else
        {
            ((IDisposable)channel.Reader).Dispose();
        }

        await Assert.ThrowsAsync<ChannelClosedException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await channel.Writer.WriteAsync(i, Stop).AsTask().Within();
                await Task.Delay(TimeSpan.FromMilliseconds(2), Stop);
            }
        });
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await channel.Reader.WaitToReadAsync(Stop));
    }

    [Fact]
    public async Task A_reader_that_leaves_ends_a_long_write_that_is_under_way()
    {
        Needs(ChannelCapabilities.DetectsPeerDeath | ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
        var writing = channel.Writer.WriteAsync(Bytes(16_000_000), Stop).AsTask();
        ((IDisposable)channel.Reader).Dispose();
        await Task.WhenAny(writing).Within();
        await Limits.Until(() => !channel.Writer.TryWrite([1]), "the writer to be told");
        await Assert.ThrowsAsync<ChannelClosedException>(() => channel.Writer.WriteAsync([1], Stop).AsTask().Within());
    }

    [Fact]
    public async Task A_reader_that_nobody_holds_any_more_leaves()
    {
        Needs(ChannelCapabilities.DetectsPeerDeath);
        var writer = CreateAndForgetReader();
        await Limits.Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !writer.TryWrite(1) && writer.WaitToWriteAsync(Stop).AsTask().IsFaulted;
        }, "the collection of the reader");
        ((IDisposable)writer).Dispose();
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    ChannelWriter<int> CreateAndForgetReader() => ProcessChannel.Create<int>(Kind, capacity: 1).Writer;

    internal sealed record Letter(string From, List<string> To, Dictionary<string, double> Data);
}
