using System.Buffers.Binary;

namespace Skein;

// The same frames for threads of their own: a thread that waits for one connection needs no thread of the pool to be told of its frames,
// and goes on when functions occupy the whole pool.
sealed partial class FrameStream
{
    // Header and body of a small frame go in one call to the operating system.
    const int Together = 4096;

    readonly Lock _writing = new();
    readonly byte[] _together = new byte[Together];

    /// <summary>As <see cref="ReadAsync"/>, on the calling thread.</summary>
    /// <exception cref="InvalidDataException">The stream ends inside of a frame, or what it holds is none.</exception>
    public Frame? Read()
    {
        var read = stream.ReadAtLeast(_header, _header.Length, throwOnEndOfStream: false);
        if (read == 0)
            return null;
        if (read < _header.Length)
            throw CutShort();
        var (kind, length) = ParseHeader();
        for (var have = 0; have < length;)
        {
            var part = NextPart(have, length);
            read = stream.Read(part.Span);
            if (read == 0)
                throw CutShort();
            have += read;
        }

        return new(kind, BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(8)), _body.AsMemory(0, length));
    }

    /// <summary>As <see cref="WriteAsync"/>, on the calling thread. Any thread may write: frames do not mix.</summary>
    public void Write(FrameKind kind, uint number, ReadOnlySpan<byte> body)
    {
        lock (_writing)
        {
            FillHeader(kind, number, body.Length);
            if (body.Length <= Together - Frame.HeaderLength)
            {
                _sentHeader.CopyTo(_together, 0);
                body.CopyTo(_together.AsSpan(Frame.HeaderLength));
                stream.Write(_together, 0, Frame.HeaderLength + body.Length);
            }
            else
            {
                stream.Write(_sentHeader);
                stream.Write(body);
            }

            stream.Flush();
        }
    }
}
