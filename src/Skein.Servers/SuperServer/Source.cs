using System.Net;
using System.Net.Sockets;

namespace Skein;

/// <summary>Who connects: the address, and what of it counts as one source.</summary>
readonly struct Source
{
    Source(IPAddress? address, int port, IPAddress? counted) => (Address, Port, Counted) = (address, port, counted);

    /// <summary>Null for a Unix socket.</summary>
    public IPAddress? Address { get; }

    public int Port { get; }

    /// <summary>The address of IPv4; of IPv6 the network of 64 bits, since a client has as many addresses as it likes there.</summary>
    public IPAddress? Counted { get; }

    public IPEndPoint? EndPoint => Address is null ? null : new(Address, Port);

    /// <summary>From what accept(2) or recvfrom(2) wrote.</summary>
    public static Source Of(ReadOnlySpan<byte> socketAddress)
    {
        if (socketAddress.Length < 8)
            return default;
        var port = socketAddress[2] << 8 | socketAddress[3];
        switch (BitConverter.ToUInt16(socketAddress))
        {
            case 2:
                return Of(new IPAddress(socketAddress.Slice(4, 4)), port);
            case 10:
                var six = new IPAddress(socketAddress.Slice(8, 16));
                return Of(six.IsIPv4MappedToIPv6 ? six.MapToIPv4() : six, port);
            default:
                return default;
        }
    }

    static Source Of(IPAddress address, int port)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return new(address, port, address);
        Span<byte> network = stackalloc byte[16];
        address.TryWriteBytes(network, out _);
        network[8..].Clear();
        return new(address, port, new(network));
    }
}
