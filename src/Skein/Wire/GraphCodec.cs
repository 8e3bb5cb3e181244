using System.Buffers;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>
/// Values as bytes: any graph of objects, field by field, with its cycles, sharing, closures and iterators.
/// <code>
/// var buffer = new ArrayBufferWriter&lt;byte&gt;();
/// GraphCodec.Encode(order, buffer);
/// var copy = GraphCodec.Decode&lt;Order&gt;(buffer.WrittenMemory);
/// </code>
/// </summary>
/// <remarks>The bytes are understood by the same build of the application, not by another version of it: they are for messages, not for archives.</remarks>
public static class GraphCodec
{
    [ThreadStatic]
    static GraphWriter? _writer;

    [ThreadStatic]
    static (GraphReader Reader, GraphSession Session)? _reader;

    /// <summary>Writes a value and all it refers to.</summary>
    /// <exception cref="CannotTravelException">Something in the graph belongs to its place; the message has the path to it.</exception>
    /// <exception cref="MessageTooLargeException">It would be larger than a message may be.</exception>
    public static void Encode<T>(T value, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var writer = _writer ?? new(new(withPaths: false));
        _writer = null;   // a surrogate could come here again
        try
        {
            writer.Session.Reset();
            writer.Begin();
            writer.Write(value);
            output.Write(writer.Written.Span);
        }
        finally
        {
            writer.Session.Reset();
            writer.Abandon();
            _writer = writer.HoldsCollectible ? null : writer;
        }
    }

    /// <summary>
    /// Makes the value that <see cref="Encode"/> wrote. Accept bytes from an authenticated source only. Collections whose keys are
    /// hashed or compared by the application's own code are filled at the end, which runs that code.
    /// </summary>
    /// <exception cref="InvalidDataException">The bytes are not what <see cref="Encode"/> writes.</exception>
    /// <exception cref="ModuleVersionException">Another build of the application wrote them.</exception>
    public static T Decode<T>(ReadOnlyMemory<byte> bytes) => Decode<T>(bytes, null);

    /// <param name="modules">Where the application's modules are; null where they are those that this process was started with.</param>
    internal static T Decode<T>(ReadOnlyMemory<byte> bytes, ModuleSource? modules)
    {
        if (!MemoryMarshal.TryGetArray(bytes, out var segment))
            segment = new(bytes.ToArray());
        if (_reader is not (var reader, var session))
        {
            session = new(withPaths: false);
            reader = new(session);
        }
        _reader = null;   // a comparer could come here again
        try
        {
            session.Reset();
            reader.Begin(segment.Array!, segment.Offset, segment.Count);
            reader.Modules = modules;
            var value = reader.Read<T>();
            reader.End();
            reader.Finish();
            return value;
        }
        finally
        {
            reader.Begin([], 0, 0);
            reader.Modules = null;
            if (!session.HoldsCollectible)
                _reader = (reader, session);
        }
    }
}
