using System.Buffers.Binary;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// One TCP connection of a channel, in one direction. Each packet has its length before it. A packet is taken from the kernel once all of it
/// is there, and in one call: a reader that is killed leaves no half of one to the next. Looking is done for as many packets as there are.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class TcpConnection(int socket) : IDisposable
{
    /// <summary>The longest packet, in bytes.</summary>
    public const int MaxPacket = 64 * 1024;

    const int LengthSize = 4;

    // Many small packets, or enough of a large one to know how long it is. More would be copied in vain where readers take turns.
    const int Glance = 4096;

    readonly byte[] _frames = new byte[LengthSize + MaxPacket];   // for a writer the packet that is half-way out; for a reader what it has seen
    int _socket = socket;
    int _done, _length;              // of the packet that goes out
    int _taken, _seen;               // of what a reader has seen, and what it has not taken yet stands in the kernel too
    int _readableFrom;

    public int Socket => _socket;

    /// <summary>The other side has ended, and nothing whole is left of it.</summary>
    public bool IsOver { get; private set; }

    public PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        if (_done == 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_frames, packet.Length);
            packet.CopyTo(_frames.AsSpan(LengthSize));
            _length = LengthSize + packet.Length;
        }

        while (_done < _length)
        {
            var sent = SocketCalls.Send(_socket, _frames.AsSpan(_done, _length - _done));
            if (sent < 0)
                return sent == -Libc.EAGAIN ? PortResult.Later : PortResult.Over;
            _done += sent;
        }

        _done = 0;
        return PortResult.Moved;
    }

    public PortResult TryRead(Span<byte> buffer, out int length)
    {
        length = 0;
        if (IsOver)
            return PortResult.Over;
        if (HasWhole(out var frame))
            return Take(frame, buffer, out length);
        var (ended, look) = (false, Glance);
        while (true)
        {
            var there = SocketCalls.Peek(_socket, _frames.AsSpan(0, look));
            (_taken, _seen) = (0, Math.Max(there, 0));
            if (HasWhole(out frame))
                return Take(frame, buffer, out length);
            if (there == look)
            {
                look = frame;
                continue;
            }

            if (ended || there == 0 || (there < 0 && there != -Libc.EAGAIN))
            {
                IsOver = true;
                return PortResult.Over;
            }

            WaitFor(frame);
            if (there < 0 || !(ended = SocketCalls.HasEnded(_socket)))
                return PortResult.Later;
        }
    }

    /// <summary>Another reader may have taken what was seen, and waited for something else.</summary>
    public void Forget() => _taken = _seen = _readableFrom = 0;

    public void Dispose() => Descriptor.Close(ref _socket);

    /// <summary>Whether a whole packet was seen that was not taken yet; how many bytes it has, or will have as far as is known, with its length.</summary>
    bool HasWhole(out int frame)
    {
        frame = LengthSize;
        if (_seen - _taken < LengthSize)
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(_frames.AsSpan(_taken));
        if (length is <= 0 or > MaxPacket)
            throw new InvalidDataException($"The channel is corrupt: a packet of {length} bytes.");
        frame = LengthSize + length;
        return _seen - _taken >= frame;
    }

    PortResult Take(int frame, Span<byte> buffer, out int length)
    {
        _ = SocketCalls.Skip(_socket, frame);
        length = frame - LengthSize;
        _frames.AsSpan(_taken + LengthSize, length).CopyTo(buffer);
        _taken += frame;
        return PortResult.Moved;
    }

    // Half of a packet wakes nobody.
    void WaitFor(int bytes)
    {
        if (_readableFrom == bytes)
            return;
        SocketCalls.ReadableFrom(_socket, bytes);
        _readableFrom = bytes;
    }
}
