using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Skein;

/// <summary>What clients and servers of objects say to each other.</summary>
enum ObjectFrameKind : byte
{
    /// <summary>An interface that the client is about to use: name, number of methods, their signatures. The first one is number 0.</summary>
    Bind = 1,

    /// <summary>Number of the interface, number of the method, name of the object, arguments.</summary>
    Call,

    /// <summary>The caller no longer wants an answer.</summary>
    Cancel,

    /// <summary>The value.</summary>
    Result,

    /// <summary>An <see cref="ObjectFault"/>, and a text, or what was thrown.</summary>
    Fault,
}

/// <summary>Why a call has no result.</summary>
enum ObjectFault : byte
{
    Thrown = 1,
    UnknownObject,
    UnknownMethod,
    RefusedType,
    Canceled,
    Stopping,
}

/// <summary>One of them. The body is valid until the next one is read.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Number">Of the call, given by the client.</param>
/// <param name="Body">Written by a <see cref="GraphWriter"/> that remembers nothing of earlier frames.</param>
readonly record struct ObjectFrame(ObjectFrameKind Kind, uint Number, ArraySegment<byte> Body)
{
    /// <summary>Length of the body (u32), kind (u8), number (u32); little end first.</summary>
    public const int HeaderLength = 9;

    public static void WriteHeader(Span<byte> header, ObjectFrameKind kind, uint number, int length)
    {
        BinaryPrimitives.WriteInt32LittleEndian(header, length);
        header[4] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(header[5..], number);
    }

    /// <summary>Reads frames until the stream ends between two of them, or the reading is cancelled.</summary>
    /// <param name="input">The stream.</param>
    /// <param name="maxLength">Of a body, in bytes.</param>
    /// <param name="take">Gets each one; the next is read when it has returned.</param>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public static async Task ReadAllAsync(PipeReader input, int maxLength, Func<ObjectFrame, ValueTask> take)
    {
        while (true)
        {
            // Stays where the caller is: a server's reading belongs to its loop.
            var read = await input.ReadAsync().ConfigureAwait(true);
            var rest = read.Buffer;
            while (TryTake(ref rest, maxLength, out var frame))
                await take(frame).ConfigureAwait(true);
            input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCanceled)
                return;
            if (read.IsCompleted)
            {
                if (!rest.IsEmpty)
                    throw new InvalidDataException("The connection ends inside of a frame.");
                return;
            }
        }
    }

    static bool TryTake(ref ReadOnlySequence<byte> rest, int maxLength, out ObjectFrame frame)
    {
        frame = default;
        if (rest.Length < HeaderLength)
            return false;
        Span<byte> header = stackalloc byte[HeaderLength];
        rest.Slice(0, HeaderLength).CopyTo(header);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        var kind = (ObjectFrameKind)header[4];
        if (length < 0 || kind is < ObjectFrameKind.Bind or > ObjectFrameKind.Fault)
            throw new InvalidDataException("The connection is damaged: this is not the header of a frame.");
        if (length > maxLength)
            throw new InvalidDataException($"A frame of {length:N0} bytes; {maxLength:N0} is the most that is taken here.");
        if (rest.Length - HeaderLength < length)
            return false;
        var body = rest.Slice(HeaderLength, length);
        var isWhole = body.IsSingleSegment && System.Runtime.InteropServices.MemoryMarshal.TryGetArray(body.First, out _);
        frame = new(kind, BinaryPrimitives.ReadUInt32LittleEndian(header[5..]), isWhole ? Segment(body.First) : body.ToArray());
        rest = rest.Slice(HeaderLength + length);
        return true;
    }

    static ArraySegment<byte> Segment(ReadOnlyMemory<byte> memory)
    {
        _ = System.Runtime.InteropServices.MemoryMarshal.TryGetArray(memory, out var segment);
        return segment;
    }
}
