using System.Buffers;

namespace Skein;

/// <summary>
/// Values as bytes: any graph of objects, field by field, with its cycles, sharing, closures and iterators.
/// </summary>
public static class GraphCodec
{
    /// <summary>Writes a value and all it refers to.</summary>
    /// <exception cref="CannotTravelException">Something in the graph belongs to its place; the message has the path to it.</exception>
    public static void Encode<T>(T value, IBufferWriter<byte> output) => throw new NotSupportedException();

    /// <summary>Makes the value that <see cref="Encode"/> wrote. Accept bytes from an authenticated source only.</summary>
    /// <exception cref="InvalidDataException">The bytes are not what <see cref="Encode"/> writes.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> bytes) => throw new NotSupportedException();
}
