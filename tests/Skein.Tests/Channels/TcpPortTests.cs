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

    [Fact]
    public async Task An_error_that_is_quicker_than_the_items_before_it_waits_for_them()
    {
        var (readEnd, writeEnd) = EndFactory.Create(ChannelKind.Tcp, capacity: 4, new(IPAddress.Loopback, 0));
        using var reader = new EndReader<int>(readEnd);
        writeEnd.Page.Fail(new TimeoutException("the scanner jammed"), 0);
        Assert.False(reader.TryRead(out _));

        var packet = new byte[PacketHeader.Size + sizeof(int)];
        MemoryMarshal.Write(packet, new PacketHeader(0, PacketFlags.First | PacketFlags.Plain, 0, 1));
        MemoryMarshal.Write(packet.AsSpan(PacketHeader.Size), 7);
        Assert.Equal(PortResult.Moved, writeEnd.Port.TryWrite(packet));
        writeEnd.Dispose();
        Assert.Equal(7, await reader.ReadAsync(TestContext.Current.CancellationToken).Within());
        var error = await Assert.ThrowsAsync<System.Threading.Channels.ChannelClosedException>(() => reader.ReadAsync(TestContext.Current.CancellationToken).Within());
        Assert.Equal("the scanner jammed", error.InnerException?.Message);
    }

    [Fact]
    public async Task Readers_that_have_seen_the_same_packets_take_each_of_them_once()
    {
        var (accepted, connected) = TcpPort.Connect(new(IPAddress.Loopback, 0));
        using var first = new TcpPort(accepted);
        using var second = new TcpPort(Descriptor.Duplicate(accepted));
        using var writer = new TcpPort(connected);
        for (ushort number = 0; number < 6; number++)
            Write(writer, number, rest: 0);
        for (ushort number = 0; number < 6; number++)
        {
            var reader = number % 3 == 2 ? second : first;   // two for the first, one for the second
            reader.Refresh();                                // as who takes the turn does
            Assert.Equal((number, 0u), await Read(reader));
        }

        first.Refresh();
        Assert.Equal(PortResult.Later, first.TryRead(new byte[first.MaxPacket], out _));
    }

    [Fact]
    public async Task A_reader_takes_no_half_of_a_packet_that_another_reader_would_miss()
    {
        var (accepted, connected) = TcpPort.Connect(new(IPAddress.Loopback, 0));
        using var second = new TcpPort(Descriptor.Duplicate(accepted));
        try
        {
            var packet = new byte[PacketHeader.Size + 40];
            byte[] frame = [(byte)packet.Length, 0, 0, 0, .. packet];
            using (var first = new TcpPort(accepted))
            {
                Assert.Equal(20, SocketCalls.Send(connected, frame.AsSpan(0, 20)));
                await Limits.Until(() => IsReadable(accepted), "half of the packet");
                Assert.Equal(PortResult.Later, first.TryRead(new byte[first.MaxPacket], out _));
                Assert.False(IsReadable(accepted), "half of a packet wakes its reader");
            }

            Assert.Equal(frame.Length - 20, SocketCalls.Send(connected, frame.AsSpan(20)));
            Assert.Equal((0, 0u), await Read(second));
            Assert.Equal(20, SocketCalls.Send(connected, frame.AsSpan(0, 20)));
        }
        finally
        {
            Descriptor.Close(ref connected);
        }

        await Limits.Until(() => second.TryRead(new byte[second.MaxPacket], out _) == PortResult.Over, "the end after half of a packet");
    }

    [Fact]
    public async Task A_stranger_without_the_secret_is_refused()
    {
        var secret = Enumerable.Range(1, 32).Select(i => (byte)i).ToArray();
        var listener = SocketCalls.Bound(new(IPAddress.Loopback, 0), SocketCalls.Stream);
        int wrong = -1, silent = -1, own = -1, accepted = -1;
        try
        {
            SocketCalls.Listen(listener);
            wrong = SocketCalls.Connected(SocketCalls.Address(listener), SocketCalls.Stream);
            Assert.Equal(32, SocketCalls.Send(wrong, new byte[32]));
            silent = SocketCalls.Connected(SocketCalls.Address(listener), SocketCalls.Stream);
            own = SocketCalls.Connected(SocketCalls.Address(listener), SocketCalls.Stream);
            Assert.Equal(32, SocketCalls.Send(own, secret));
            accepted = TcpPort.Accept(listener, secret);

            Assert.Equal(1, SocketCalls.Send(own, [77]));
            await Limits.Until(() => IsReadable(accepted), "what the owner sent");
            var received = new byte[8];
            Assert.Equal(1, SocketCalls.Receive(accepted, received));
            Assert.Equal(77, received[0]);
            await Limits.Until(() => SocketCalls.HasEnded(wrong) && SocketCalls.HasEnded(silent), "the strangers' connections to be closed");
        }
        finally
        {
            Descriptor.Close(ref listener);
            Descriptor.Close(ref wrong);
            Descriptor.Close(ref silent);
            Descriptor.Close(ref own);
            Descriptor.Close(ref accepted);
        }
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
