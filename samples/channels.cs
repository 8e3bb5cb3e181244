// A producer and a consumer, each a process of its own, over each kind of channel: one word chooses what carries the numbers.
//
//   dotnet run samples/channels.cs
//   dotnet run samples/channels.cs -- 100000        so many numbers
//
// Udp may lose some, as the network does; all others deliver each number once and in order.

#:project ../src/Skein
using System.Diagnostics;
using System.Threading.Channels;
using Skein;

var count = args.Length > 0 ? int.Parse(args[0]) : 5000;
Console.WriteLine($"{"",-14} {"arrived",9} {"in order",9} {"sum",16} {"a second",12}");

foreach (var kind in Enum.GetValues<ChannelKind>())
{
    // Memory goes by reference, so its two ends are threads of this process.
    var place = kind.Capabilities().HasFlag(ChannelCapabilities.CrossesProcesses) ? Place.OsProcess : Place.Thread;
    await using var channel = ProcessChannel.Create<long>(kind, capacity: 256);
    await using var consumer = await place.StartAsync(Consume, channel.Reader);
    await using var producer = await place.StartAsync(Produce, channel.Writer, count);

    await producer.Completion;
    var (arrived, inOrder, sum, seconds) = await consumer.Completion;
    Console.WriteLine($"{kind,-14} {arrived,9} {(inOrder ? "yes" : "no"),9} {sum,16} {arrived / seconds,12:N0}");
}

static async Task Produce(ChannelWriter<long> writer, int count)
{
    for (long number = 1; number <= count; number++)
        await writer.WriteAsync(number);
    writer.Complete();
}

static async Task<(int Arrived, bool InOrder, long Sum, double Seconds)> Consume(ChannelReader<long> reader)
{
    var (arrived, inOrder, sum, last) = (0, true, 0L, 0L);
    await reader.WaitToReadAsync();
    var started = Stopwatch.GetTimestamp();
    await foreach (var number in reader.ReadAllAsync())
    {
        arrived++;
        sum += number;
        inOrder &= number > last;
        last = number;
    }

    return (arrived, inOrder, sum, Stopwatch.GetElapsedTime(started).TotalSeconds);
}
