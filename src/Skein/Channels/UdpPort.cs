using System.Buffers.Binary;
using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Skein;

/// <summary>Datagrams to a bound socket. Each begins with the channel's secret: what a stranger sends is not looked at.</summary>
[SupportedOSPlatform("linux")]
sealed class UdpPort(int descriptor, UInt128 secret) : PacketPort
{
    const int SecretSize = 16;

    readonly byte[] _datagram = new byte[SecretSize + 65_016];
    int _descriptor = descriptor;

    public static (UdpPort Reader, UdpPort Writer) Create(IPEndPoint address)
    {
        var secret = BinaryPrimitives.ReadUInt128LittleEndian(RandomNumberGenerator.GetBytes(SecretSize));
        var reader = SocketCalls.Bound(address, SocketCalls.Datagram);
        try
        {
            return (new(reader, secret), new(SocketCalls.Connected(SocketCalls.Address(reader), SocketCalls.Datagram), secret));
        }
        catch
        {
            Descriptor.Close(ref reader);
            throw;
        }
    }

    /// <summary>Known to all ends of the channel, and to nobody else.</summary>
    public UInt128 Secret => secret;

    public override int MaxPacket => 65_016;

    public override ReadOnlySpan<int> WaitDescriptors => new(in _descriptor);

    public override int[] Descriptors => [_descriptor];

    /// <summary>Sends and forgets: with no room on the way the datagram is lost, as the kind says.</summary>
    public override PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(_datagram, secret);
        packet.CopyTo(_datagram.AsSpan(SecretSize));
        _ = SocketCalls.Send(_descriptor, _datagram.AsSpan(0, SecretSize + packet.Length));
        return PortResult.Moved;
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        while (true)
        {
            var received = SocketCalls.Receive(_descriptor, _datagram);
            if (received < 0)
            {
                length = 0;
                return PortResult.Later;
            }

            length = received - SecretSize;
            if (length < PacketHeader.Size || BinaryPrimitives.ReadUInt128LittleEndian(_datagram) != secret)
                continue;
            _datagram.AsSpan(SecretSize, length).CopyTo(buffer);
            return PortResult.Moved;
        }
    }

    public override void Dispose() => Descriptor.Close(ref _descriptor);
}
