using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein.Tests;

/// <summary>What the kinds that cross processes promise besides, with a real other process, which is killed.</summary>
[SupportedOSPlatform("linux")]
public abstract class ChannelProcessCases(ChannelKind kind) : ChannelCases(kind)
{
    [Fact]
    public async Task A_writer_in_another_process_is_read_to_its_end()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "write-and-complete", 200);
        var read = 0;
        await foreach (var item in channel.Reader.ReadAllAsync(Stop))
        {
            Assert.Equal(Bytes(item.Length), item);
            read++;
        }

        Assert.True(read == 200 || !Has(ChannelCapabilities.Reliable), $"{read} of 200 items arrived");
        Assert.Equal(0, (await child.Exited.Within()).Code);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await channel.Writer.WriteAsync([], Stop));
    }

    [Fact]
    public async Task A_reader_in_another_process_reads_to_the_end()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Reader, "read-all", 200);
        for (var i = 0; i < 200; i++)
            await channel.Writer.WriteAsync(Bytes(i * 40), Stop).AsTask().Within();
        channel.Writer.Complete();
        Assert.Equal(Has(ChannelCapabilities.Reliable) ? 200 : 1, (await child.Exited.Within()).Code);
    }

    [Fact]
    public async Task A_writer_killed_in_mid_message_leaves_what_was_whole_and_a_fault()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "write-and-hang", 5);
        for (var i = 0; i < 5; i++)
            Assert.Equal(Bytes(i * 40), await channel.Reader.ReadAsync(Stop).Within());
        if (channel.Reader.CanCount)
            await Limits.Until(() => channel.Reader.Count == 1, "the long item to be under way");
        child.Kill();
        await child.Exited.Within();

        var error = await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            Assert.Equal(Bytes(16_000_000), await channel.Reader.ReadAsync(Stop).Within());   // if it had gone out whole
            await channel.Reader.ReadAsync(Stop).Within();
        });
        Assert.Contains(child.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_waits_is_told_when_the_writer_is_killed()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Writer, "wait", 0);
        Assert.Equal([1], await channel.Reader.ReadAsync(Stop).Within());
        var reading = channel.Reader.ReadAsync(Stop).AsTask();
        child.Kill();
        await Assert.ThrowsAsync<ChannelBrokenException>(() => reading.Within());
    }

    [Fact]
    public async Task A_killed_reader_faults_the_writer()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 8);
        using var child = Hand(channel.Reader, "read-and-hang", 0);
        child.Kill();
        await child.Exited.Within();
        await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await channel.Writer.WriteAsync(Bytes(100_000 % 65_000), Stop).AsTask().Within();
                await Task.Delay(TimeSpan.FromMilliseconds(2), Stop);
            }
        });
        Assert.False(channel.Writer.TryWrite([1]));
    }

    [Fact]
    public async Task One_killed_writer_of_several_does_not_stop_the_others()
    {
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 1);
        var other = channel.AddWriter();
        using var child = Hand(channel.Writer, "write-and-hang", 1);
        Assert.Equal(Bytes(0), await channel.Reader.ReadAsync(Stop).Within());
        if (channel.Reader.CanCount)
            await Limits.Until(() => channel.Reader.Count == 1, "the long item to be under way");
        child.Kill();
        await child.Exited.Within();

        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                await other.WriteAsync(Bytes(50_000 + i), Stop);
            other.Complete();
        }, Stop);
        var read = new List<int>();
        await Assert.ThrowsAsync<ChannelBrokenException>(async () =>
        {
            while (true)
                read.Add((await channel.Reader.ReadAsync(Stop).Within()).Length);
        });
        await writing.Within();
        read.Remove(16_000_000);
        Assert.True(read.SequenceEqual(Enumerable.Range(50_000, 20)) || !Has(ChannelCapabilities.Reliable), string.Join(' ', read));
    }

    [Fact]
    public async Task Several_readers_of_which_one_is_killed_in_mid_item_lose_only_that_item()
    {
        Needs(ChannelCapabilities.Reliable);
        await using var channel = ProcessChannel.Create<byte[]>(Kind, capacity: 2);
        var elsewhere = channel.AddReader();
        var here = channel.AddReader();
        var writing = Task.Run(async () =>
        {
            await channel.Writer.WriteAsync(Bytes(3_000_000), Stop);
            for (var i = 0; i < 40; i++)
                await channel.Writer.WriteAsync(Bytes(70_000 + i), Stop);
            channel.Writer.Complete();
        }, Stop);
        using (var killed = Hand(channel.Reader, "read-some-packets-and-die", 3))
            await killed.Exited.Within();

        using var child = Hand(elsewhere, "read-all", 0);
        var read = 0;
        await foreach (var item in here.ReadAllAsync(Stop))
        {
            Assert.Equal(Bytes(item.Length), item);
            Assert.InRange(item.Length, 70_000, 70_039);
            read++;
        }

        await writing.Within();
        Assert.Equal(40, read + (await child.Exited.Within()).Code);
    }

    [Fact]
    public async Task Both_ends_can_be_arguments_of_a_process()
    {
        await using var questions = ProcessChannel.Create<Letter>(Kind);
        await using var answers = ProcessChannel.Create<Letter>(Kind);
        await using var process = await Place.OsProcess.StartAsync(Answer, questions.Reader, answers.Writer, cancellation: Stop).Within();
        for (var i = 0; i < 20; i++)
        {
            await questions.Writer.WriteAsync(new($"question {i}", ["x", "y"], []), Stop).AsTask().Within();
            var answer = await answers.Reader.ReadAsync(Stop).Within();
            Assert.Equal($"question {i}", answer.To.Single());
            Assert.Equal(i, answer.Data["answers before"]);
        }

        questions.Writer.Complete();
        Assert.Equal(20, await process.Completion.Within());
        Assert.False(await answers.Reader.WaitToReadAsync(Stop).Within());
        Assert.NotEqual(Environment.ProcessId, process.OsProcessId);
    }

    static async Task<int> Answer(ChannelReader<Letter> questions, ChannelWriter<Letter> answers)
    {
        var count = 0;
        await foreach (var question in questions.ReadAllAsync())
            await answers.WriteAsync(new($"{Environment.ProcessId}", [question.From], new() { ["answers before"] = count++ }));
        answers.Complete();
        return count;
    }

    [Fact]
    public async Task Two_processes_talk_past_their_parent()
    {
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 4);
        await using var reader = await Place.OsProcess.StartAsync(Sum, channel.Reader, cancellation: Stop).Within();
        await using var writer = await Place.OsProcess.StartAsync(Count, channel.Writer, 100, cancellation: Stop).Within();
        Assert.Equal(100, await writer.Completion.Within());
        var sum = await reader.Completion.Within();
        Assert.True(sum == 4950 || !Has(ChannelCapabilities.Reliable), $"{sum}");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await channel.Reader.ReadAsync(Stop).Within());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await channel.Writer.WriteAsync(1, Stop).AsTask().Within());
    }

    [Fact]
    public async Task A_writer_that_was_used_here_goes_on_in_another_process()
    {
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 8);
        for (var i = 0; i < 3; i++)
            await channel.Writer.WriteAsync(i, Stop).AsTask().Within();
        for (var i = 0; i < 3; i++)
            Assert.Equal(i, await channel.Reader.ReadAsync(Stop).Within());
        await using var process = await Place.OsProcess.StartAsync(Count, channel.Writer, 3, cancellation: Stop).Within();
        for (var i = 0; i < 3; i++)
            Assert.Equal(i, await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal(3, await process.Completion.Within());
    }

    [Fact]
    public async Task A_writer_that_waits_is_woken_though_an_idle_one_in_another_process_was_quicker()
    {
        Needs(ChannelCapabilities.BackPressure);
        await using var channel = ProcessChannel.Create<int>(Kind, capacity: 1);
        var idle = channel.AddWriter();
        await using var process = await Place.OsProcess.StartAsync(Count, channel.Writer, 2, cancellation: Stop).Within();
        var page = ((IChannelEnd)channel.Reader).End;
        await Limits.Until(() => Volatile.Read(ref page.Page.WritersAsleep) > 0, "the second item to wait for room");
        process.Signal(19);
        await Limits.Until(() => File.ReadAllText($"/proc/{process.OsProcessId}/stat").Contains(") T ", StringComparison.Ordinal), "the process to stand still");

        Assert.Equal(0, await channel.Reader.ReadAsync(Stop).Within());   // which rings for the writers
        await WatcherHasLooked();
        process.Signal(18);

        Assert.Equal(1, await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal(2, await process.Completion.Within());
        GC.KeepAlive(idle);
    }

    // The one thread that watches channels tells what comes in the order in which it came.
    static async Task WatcherHasLooked()
    {
        await using var later = ProcessChannel.Create<int>(ChannelKind.SharedMemory, capacity: 1);
        for (var i = 0; i < 3; i++)
        {
            var reading = later.Reader.ReadAsync(Stop).AsTask();
            var page = ((IChannelEnd)later.Reader).End;
            await Limits.Until(() => Volatile.Read(ref page.Page.ReadersAsleep) > 0, "the reader to wait");
            await later.Writer.WriteAsync(i, Stop).AsTask().Within();
            Assert.Equal(i, await reading.Within());
        }
    }

    [Fact]
    public async Task A_process_that_is_killed_with_its_end_is_a_fault()
    {
        await using var channel = ProcessChannel.Create<int>(Kind);
        await using var process = await Place.OsProcess.StartAsync(CountAndHang, channel.Writer, cancellation: Stop).Within();
        Assert.Equal(0, await channel.Reader.ReadAsync(Stop).Within());
        process.Kill();
        await Assert.ThrowsAsync<ChannelBrokenException>(async () => await channel.Reader.ReadAsync(Stop).Within());
    }

    [Fact]
    public async Task An_error_crosses_from_the_process_that_wrote_it()
    {
        await using var channel = ProcessChannel.Create<int>(Kind);
        await using var process = await Place.OsProcess.StartAsync(CountAndFail, channel.Writer, cancellation: Stop).Within();
        Assert.Equal(0, await channel.Reader.ReadAsync(Stop).Within());
        var error = await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.Reader.ReadAsync(Stop).Within());
        Assert.Equal("no more ink", Assert.IsType<RemoteChannelException>(error.InnerException).Message);
        Assert.Equal(typeof(InvalidTimeZoneException).FullName, ((RemoteChannelException)error.InnerException).TypeName);
    }

    static async Task<int> Sum(ChannelReader<int> reader)
    {
        var sum = 0;
        await foreach (var item in reader.ReadAllAsync())
            sum += item;
        return sum;
    }

    static async Task<int> Count(ChannelWriter<int> writer, int count)
    {
        for (var i = 0; i < count; i++)
            await writer.WriteAsync(i);
        writer.Complete();
        return count;
    }

    static async Task<int> CountAndHang(ChannelWriter<int> writer)
    {
        await writer.WriteAsync(0);
        await Task.Delay(Timeout.InfiniteTimeSpan);
        writer.Complete();
        return 0;
    }

    static async Task<int> CountAndFail(ChannelWriter<int> writer)
    {
        await writer.WriteAsync(0);
        writer.Complete(new InvalidTimeZoneException("no more ink"));
        return 0;
    }

    /// <summary>Starts the tests' child with an end of the channel: the raw way, by inherited descriptors.</summary>
    static ChildProcess Hand(object end, string what, int count)
    {
        var channelEnd = (IChannelEnd)end;
        var secret = (channelEnd.End.Port as UdpPort)?.Secret ?? 0;
        var child = Spawner.Start(new(Programs.ChildProgram, ["channel", what, $"{channelEnd.End.Kind}", $"{count}", $"{channelEnd.End.Descriptors.Length}", $"{secret}"])
        {
            Descriptors = [.. channelEnd.End.Descriptors.Select((descriptor, i) => (descriptor, 3 + i))],
        });
        channelEnd.HandOver();
        return child;
    }
}
