using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>Makes the items that an <see cref="ItemWriter{T}"/> wrote.</summary>
sealed class ItemReader<T>
{
    readonly Dictionary<ushort, GraphReader> _graphs = [];   // by writer: each has told its own types
    readonly GraphSession _aloneSession = new();
    GraphReader? _alone;

    /// <summary>True once items depend on what was read here before: the reader cannot go elsewhere any more.</summary>
    public bool HasSession => _graphs.Count > 0;

    public T Read(byte[] buffer, int offset, int length, PacketHeader header)
    {
        if ((header.Flags & PacketFlags.Plain) != 0)
            return Plain(buffer.AsSpan(offset, length));
        GraphReader? reader;
        if ((header.Flags & PacketFlags.StandsAlone) != 0)
        {
            _aloneSession.Reset();
            reader = _alone ??= new(_aloneSession);
        }
        else if ((header.Flags & PacketFlags.NewSession) != 0 || !_graphs.TryGetValue(header.Writer, out reader))
        {
            _graphs[header.Writer] = reader = new(new());
        }

        reader.Begin(buffer, offset, length);
        var item = reader.Read<T>();
        reader.End();
        reader.Finish();
        return item;
    }

    static T Plain(ReadOnlySpan<byte> bytes)
    {
        if (typeof(T) == typeof(byte[]))
            return (T)(object)bytes.ToArray();
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>() || bytes.Length != Unsafe.SizeOf<T>())
            throw new InvalidDataException($"An item of {bytes.Length} bytes came where a {typeof(T)} was expected: both sides must be built from the same source.");
        return Unsafe.ReadUnaligned<T>(in bytes[0]);
    }
}
