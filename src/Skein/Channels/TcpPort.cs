using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Skein;

/// <summary>
/// TCP connections: one for each writer, so that a writer killed in mid-packet spoils nobody else's stream. A reader has them all.
/// Each packet has its length before it.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class TcpPort : PacketPort
{
    const int SecretSize = 32;

    readonly List<TcpConnection> _connections;
    int[] _open;   // of the connections that have not ended
    int _turn;
    bool _isMidItem;

    public TcpPort(params int[] sockets)
    {
        _open = sockets;
        _connections = [.. sockets.Select(s => new TcpConnection(s))];
    }

    public override int MaxPacket => TcpConnection.MaxPacket;

    public override bool SeesEnd => true;

    public override bool IsMidItem => _isMidItem;

    public override ReadOnlySpan<int> WaitDescriptors => _isMidItem ? [_connections[_turn].Socket] : _open;

    public override int[] Descriptors => [.. _connections.Select(c => c.Socket)];

    /// <summary>One more writer's connection, for a reader.</summary>
    public void Add(int socket)
    {
        _connections.Add(new(socket));
        _open = [.. _open, socket];
    }

    public override PortResult TryWrite(ReadOnlySpan<byte> packet) => _connections[0].TryWrite(packet);

    public override bool HasAllOf(int writer) => writer >= _connections.Count || _connections[writer].IsOver;

    public override void Refresh()
    {
        _isMidItem = false;
        foreach (var connection in _connections)
            connection.Forget();
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        var over = 0;
        foreach (var _ in _connections)
        {
            switch (_connections[_turn].TryRead(buffer, out length))
            {
                case PortResult.Moved:
                    // Item by item each has its turn: a writer that never pauses does not keep the others out.
                    _isMidItem = length >= PacketHeader.Size && MemoryMarshal.Read<PacketHeader>(buffer).Rest > 0;
                    if (!_isMidItem)
                        _turn = (_turn + 1) % _connections.Count;
                    return PortResult.Moved;
                case PortResult.Later when _isMidItem:
                    // Sent is not arrived: the rest stands in the sender's kernel, while the next writer's item may be here already.
                    return PortResult.Later;
                case PortResult.Over:
                    _isMidItem = false;
                    over++;
                    break;
            }

            _turn = (_turn + 1) % _connections.Count;
        }

        length = 0;
        if (over > _connections.Count - _open.Length)
            _open = [.. _connections.Where(c => !c.IsOver).Select(c => c.Socket)];
        return over == _connections.Count ? PortResult.Over : PortResult.Later;
    }

    public override void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
    }

    /// <summary>Connects to a listener of our own, and accepts only who knows the secret: another program may be quicker.</summary>
    public static (int Accepted, int Connected) Connect(IPEndPoint address)
    {
        var secret = RandomNumberGenerator.GetBytes(SecretSize);
        int listener = -1, connected = -1;
        try
        {
            listener = SocketCalls.Bound(address, SocketCalls.Stream);
            SocketCalls.BufferReceived(listener, 8 * 64 * 1024);   // room for a whole packet, whatever else is there
            SocketCalls.Listen(listener);
            connected = SocketCalls.Connected(SocketCalls.Address(listener), SocketCalls.Stream);
            SocketCalls.SendAtOnce(connected);
            _ = SocketCalls.Send(connected, secret);
            return (Accept(listener, secret), connected);
        }
        catch
        {
            Descriptor.Close(ref connected);
            throw;
        }
        finally
        {
            Descriptor.Close(ref listener);
        }
    }

    /// <summary>The connection of whoever knows the secret; all others are closed.</summary>
    public static int Accept(int listener, byte[] secret)
    {
        var given = new byte[SecretSize];
        while (true)
        {
            var accepted = SocketCalls.Accept(listener, milliseconds: 5000);
            if (accepted < 0)
                throw new IOException($"No connection arrived at {SocketCalls.Address(listener)} within 5 s.");
            if (Greets(accepted, given) && CryptographicOperations.FixedTimeEquals(given, secret))
                return accepted;
            Descriptor.Close(ref accepted);
        }
    }

    /// <summary>Our own greeting is there within a moment; a stranger who is silent gets no more than that.</summary>
    static bool Greets(int socket, byte[] greeting) =>
        SocketCalls.IsReadableWithin(socket, milliseconds: 500) && SocketCalls.Receive(socket, greeting) == SecretSize;
}
