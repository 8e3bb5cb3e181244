using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>The other end of a channel, whose descriptors are 3 and following.</summary>
[SupportedOSPlatform("linux")]
static class ChannelCase
{
    // To be killed; it does not outlive a test that has forgotten it.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> Run(string what, string kind, string count, string descriptors, string secret)
    {
        var items = int.Parse(count, CultureInfo.InvariantCulture);
        var reads = what.StartsWith("read", StringComparison.Ordinal);
        var own = Enumerable.Range(3, int.Parse(descriptors, CultureInfo.InvariantCulture)).ToArray();
        var end = EndFactory.Open(Enum.Parse<ChannelKind>(kind), reads, 0, UInt128.Parse(secret, CultureInfo.InvariantCulture), own);
        switch (what)
        {
            case "read-all":
                var read = 0;
                await foreach (var item in new EndReader<byte[]>(end).ReadAllAsync())
                {
                    if (!item.AsSpan().SequenceEqual(Bytes(item.Length)))
                        return 255;
                    read++;
                }

                return read > 0 && kind == "Udp" ? 1 : read;
            case "write-and-complete":
                var writer = new EndWriter<byte[]>(end);
                for (var i = 0; i < items; i++)
                    await writer.WriteAsync(Bytes(i * 40));
                writer.Complete();
                return 0;
            case "write-and-hang":
                var hanging = new EndWriter<byte[]>(end);
                for (var i = 0; i < items; i++)
                    await hanging.WriteAsync(Bytes(i * 40));
                if (kind != "Udp")
                    await hanging.WriteAsync(Bytes(16_000_000));
                await Task.Delay(Patience);
                return 0;
            case "wait":
                var waiting = new EndWriter<byte[]>(end);
                await waiting.WriteAsync([1]);
                await Task.Delay(Patience);
                GC.KeepAlive(waiting);
                return 0;
            case "read-and-hang":
                await Task.Delay(Patience);
                GC.KeepAlive(end);
                return 0;
            case "read-some-packets-and-die":
                var packet = new byte[end.Port.MaxPacket];
                var started = TimeProvider.System.GetTimestamp();
                for (var taken = 0; taken < items;)
                {
                    if (TimeProvider.System.GetElapsedTime(started) > Patience)
                        return 70;
                    if (end.TryTakeTurn() && end.Port.TryRead(packet, out _) == PortResult.Moved)
                    {
                        taken++;
                        end.RingIfAsleep();
                    }
                    else
                    {
                        Thread.Sleep(1);
                    }
                }

                using (var self = System.Diagnostics.Process.GetCurrentProcess())
                    self.Kill();
                await Task.Delay(Patience);
                return 0;
            default:
                return 64;
        }
    }

    /// <summary>A channel whose file has room for a short item, and not for a long one.</summary>
    public static async Task<int> FullFolder()
    {
        await using (var channel = ProcessChannel.Create<byte[]>(ChannelKind.LockedFile, capacity: 4))
        {
            Console.WriteLine($"small items: {channel.Writer.TryWrite([1])}");
            try
            {
                await channel.Writer.WriteAsync(new byte[1_000_000]);
            }
            catch (Exception error)
            {
                Console.WriteLine($"long one: {error.GetType().Name}: {error.Message}");
            }

            Console.WriteLine((await channel.Reader.ReadAsync()).Length == 1 ? "read: small" : "read: another");
            try
            {
                await channel.Reader.ReadAsync();
            }
            catch (Exception error)
            {
                Console.WriteLine($"then: {error.GetType().Name}");
            }
        }

        await using var another = ProcessChannel.Create<byte[]>(ChannelKind.LockedFile, capacity: 4);
        Console.WriteLine($"another channel: {another.Writer.TryWrite([1])}");
        return 0;
    }

    static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(1 + length).NextBytes(bytes);
        return bytes;
    }
}
