using System.Buffers.Binary;

namespace Skein;

/// <summary>Frames over a byte stream that keeps their order. One reader and one writer at a time.</summary>
sealed partial class FrameStream(Stream stream, int maxLength = Frame.MaxLength)
{
    const int FirstBuffer = 4096;

    readonly byte[] _header = new byte[Frame.HeaderLength], _sentHeader = new byte[Frame.HeaderLength];
    byte[] _body = new byte[FirstBuffer];

    /// <summary>The next frame, or null where the stream ends between two.</summary>
    /// <exception cref="InvalidDataException">The stream ends inside of a frame, or what it holds is none: nothing more can be read from it.</exception>
    public async ValueTask<Frame?> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await stream.ReadAtLeastAsync(_header, _header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read == 0)
            return null;
        if (read < _header.Length)
            throw CutShort();
        var (kind, length) = ParseHeader();
        var kept = await ReadBodyAsync(length, cancellationToken).ConfigureAwait(false);
        return new(kind, BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(8)), _body.AsMemory(0, kept)) { Missing = length - kept };
    }

    /// <summary>The body of the last frame as an array of its own. A large one is not copied.</summary>
    public byte[] Keep(Frame frame)
    {
        if (frame.Body.Length <= WireLimits.KeptBuffer || frame.Body.Length != _body.Length)
            return frame.Body.ToArray();
        var body = _body;
        _body = new byte[FirstBuffer];
        return body;
    }

    public async ValueTask WriteAsync(FrameKind kind, uint number, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        FillHeader(kind, number, body.Length);
        await stream.WriteAsync(_sentHeader, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Memory is taken as the bytes arrive, at most twice of what is there: a length alone costs nothing.</summary>
    /// <returns>How much is there: all, or the beginning where there is no memory for all. The rest was passed over then.</returns>
    async ValueTask<int> ReadBodyAsync(int length, CancellationToken cancellationToken)
    {
        byte[]? passedOver = null;
        for (var have = 0; have < length;)
        {
            Memory<byte> part;
            if (passedOver is null && TryNextPart(have, length) is { } next)
                part = next;
            else
                part = (passedOver ??= new byte[FirstBuffer]).AsMemory(0, Math.Min(FirstBuffer, length - have));
            var read = await stream.ReadAsync(part, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw CutShort();
            have += read;
        }
        return passedOver is null ? length : FirstBuffer;
    }

    /// <summary>Null where there is no memory for it: only the beginning is kept then.</summary>
    Memory<byte>? TryNextPart(int have, int length)
    {
        try
        {
            return NextPart(have, length);
        }
        catch (OutOfMemoryException)
        {
            _body = _body[..FirstBuffer];
            return null;
        }
    }

    Memory<byte> NextPart(int have, int length)
    {
        if (have == 0 && _body.Length > WireLimits.KeptBuffer && length < _body.Length / 8)
            _body = new byte[FirstBuffer];
        if (have == _body.Length)
            Array.Resize(ref _body, (int)Math.Min(length, _body.Length * 2L));
        return _body.AsMemory(have, Math.Min(_body.Length, length) - have);
    }

    (FrameKind Kind, int Length) ParseHeader()
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_header);
        var kind = (FrameKind)_header[4];
        if (Check(_header) != BinaryPrimitives.ReadUInt16LittleEndian(_header.AsSpan(6)) || _header[5] != 0 || kind is < FrameKind.Hello or > FrameKind.Message)
            throw new InvalidDataException("The stream is damaged: this is not the header of a frame.");
        if (length > (uint)maxLength)
            throw new InvalidDataException($"The stream is damaged: a frame of {length:N0} bytes, where {maxLength:N0} is the most.");
        return (kind, (int)length);
    }

    void FillHeader(FrameKind kind, uint number, int length)
    {
        if (length > maxLength)
            throw new MessageTooLargeException(length, maxLength);
        BinaryPrimitives.WriteUInt32LittleEndian(_sentHeader, (uint)length);
        _sentHeader[4] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(_sentHeader.AsSpan(8), number);
        BinaryPrimitives.WriteUInt16LittleEndian(_sentHeader.AsSpan(6), Check(_sentHeader));
    }

    static ushort Check(ReadOnlySpan<byte> header)
    {
        var sum = 0x5C31;   // so that zeros are no header
        for (var at = 0; at < header.Length; at += 2)
        {
            if (at != 6)
                sum += BinaryPrimitives.ReadUInt16LittleEndian(header[at..]);
        }
        return (ushort)sum;
    }

    static InvalidDataException CutShort() => new("The stream is damaged: it ends inside of a frame.");
}
