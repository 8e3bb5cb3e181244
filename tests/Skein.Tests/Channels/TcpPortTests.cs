using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein.Tests;

/// <summary>One connection for each writer: what the network may do to their order, and who may not connect.</summary>
[SupportedOSPlatform("linux")]
public sealed class TcpPortTests
{
    [Fact]
    public async Task An_item_that_is_still_arriving_is_not_lost_to_the_next_writers_item()
    {
        var first = TcpPort.Connect(new(IPAddress.Loopback, 0));
        var second = TcpPort.Connect(new(IPAddress.Loopback, 0));
        using var reader = new TcpPort(first.Accepted, second.Accepted);
        using var slow = new TcpPort(first.Connected);
        using var quick = new TcpPort(second.Connected);

        Write(slow, writer: 0, rest: 8);
        Assert.Equal((0, 8u), await Read(reader));
        Write(quick, writer: 1, rest: 0);
        await Limits.Until(() => IsReadable(second.Accepted), "the second writer's item");
        Assert.Equal(PortResult.Later, reader.TryRead(new byte[reader.MaxPacket], out _));
        Write(slow, writer: 0, rest: 0);
        Assert.Equal((0, 0u), await Read(reader));
        Assert.Equal((1, 0u), await Read(reader));
    }

    [Fact]
    public async Task A_writer_that_dies_in_mid_item_does_not_hold_up_the_others()
    {
        var first = TcpPort.Connect(new(IPAddress.Loopback, 0));
        var second = TcpPort.Connect(new(IPAddress.Loopback, 0));
        using var reader = new TcpPort(first.Accepted, second.Accepted);
        using var other = new TcpPort(second.Connected);
        using (var dying = new TcpPort(first.Connected))
        {
            Write(dying, writer: 0, rest: 8);
            Assert.Equal((0, 8u), await Read(reader));
        }

        Write(other, writer: 1, rest: 0);
        Assert.Equal((1, 0u), await Read(reader));
    }

    static void Write(TcpPort port, ushort writer, uint rest)
    {
        var packet = new byte[PacketHeader.Size + 8];
        MemoryMarshal.Write(packet, new PacketHeader(writer, PacketFlags.First, rest, 1));
        Assert.Equal(PortResult.Moved, port.TryWrite(packet));
    }

    static async Task<(int Writer, uint Left)> Read(TcpPort port)
    {
        var buffer = new byte[port.MaxPacket];
        await Limits.Until(() => port.TryRead(buffer, out _) == PortResult.Moved, "a packet");
        var header = MemoryMarshal.Read<PacketHeader>(buffer);
        return (header.Writer, header.Rest);
    }

    static unsafe bool IsReadable(int socket)
    {
        var poll = new Libc.PollDescriptor(socket, Libc.PollIn);
        return Libc.Poll(&poll, 1, 0) > 0;
    }
}
