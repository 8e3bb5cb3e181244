using System.Net;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Makes the two ends of a channel, further ones, and one from descriptors that arrived. The only place that knows all kinds.</summary>
[SupportedOSPlatform("linux")]
static class EndFactory
{
    public static unsafe (ChannelEnd Reader, ChannelEnd Writer) Create(ChannelKind kind, int capacity, IPEndPoint address, int ringCapacity = RingPort.Capacity)
    {
        var region = MemoryRegion.Create("skein-channel", RegionSize(kind, ringCapacity));
        var page = new ControlPage(region.Pointer);
        page.Capacity = capacity;
        page.ReadersOpened = page.WritersOpened = 1;
        var second = MemoryRegion.Open(Descriptor.Reopen(region.Descriptor), region.Size);   // turns belong to the open file
        var (readers, writers) = Lifeline.Pair();
        try
        {
            (PacketPort, PacketPort) ports = kind switch
            {
                ChannelKind.Pipe => PipePort.Create(),
                ChannelKind.UnixSocket => UnixSocketPort.Create(),
                ChannelKind.SharedMemory => (new RingPort(region, ringCapacity), new RingPort(second, ringCapacity)),
                ChannelKind.MessageQueue => QueuePort.Create(capacity),
                ChannelKind.LockedFile => FilePort.Create(),
                ChannelKind.Tcp => CreateTcp(address),
                ChannelKind.Udp => UdpPort.Create(address),
                _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of channel."),
            };
            return (new(kind, reads: true, 0, region, readers, ports.Item1), new(kind, reads: false, 0, second, writers, ports.Item2));
        }
        catch
        {
            region.Dispose();
            second.Dispose();
            readers.Dispose();
            writers.Dispose();
            throw;
        }
    }

    /// <summary>The end that consists of these descriptors; it owns them.</summary>
    public static ChannelEnd Open(ChannelKind kind, bool reads, int number, UInt128 secret, int[] descriptors, int ringCapacity = RingPort.Capacity)
    {
        var region = MemoryRegion.Open(descriptors[0], RegionSize(kind, ringCapacity));
        PacketPort port = kind switch
        {
            ChannelKind.Pipe => new PipePort(descriptors[2]),
            ChannelKind.UnixSocket => new UnixSocketPort(descriptors[2]),
            ChannelKind.SharedMemory => new RingPort(region, ringCapacity),
            ChannelKind.MessageQueue => new QueuePort(descriptors[2]),
            ChannelKind.LockedFile => new FilePort(descriptors[2]),
            ChannelKind.Tcp => new TcpPort(descriptors[2..]),
            ChannelKind.Udp => new UdpPort(descriptors[2], secret),
            _ => throw new InvalidDataException($"A channel of kind {(int)kind} came, which this build does not know."),
        };
        return new(kind, reads, number, region, new(descriptors[1]), port);
    }

    static (PacketPort, PacketPort) CreateTcp(IPEndPoint address)
    {
        var (accepted, connected) = TcpPort.Connect(address);
        return (new TcpPort(accepted), new TcpPort(connected));
    }

    static nuint RegionSize(ChannelKind kind, int ringCapacity) => ControlPage.Size + (kind == ChannelKind.SharedMemory ? Ring.Size(ringCapacity) : 0);
}
