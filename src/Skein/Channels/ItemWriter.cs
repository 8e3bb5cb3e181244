using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Items as bytes: plain values and byte arrays as they lie in memory, everything else through the graph codec.</summary>
sealed class ItemWriter<T>
{
    byte[] _plain = [];
    GraphWriter? _graph;

    /// <summary>The item, with room for one <see cref="PacketHeader"/> before it. Valid until the next call.</summary>
    /// <param name="alone">It must be readable by one who has not read what was written before.</param>
    public Memory<byte> Write(T item, bool alone, out PacketFlags flags)
    {
        flags = PacketFlags.First;
        if (!RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            flags |= PacketFlags.Plain;
            var space = Plain(Unsafe.SizeOf<T>());
            Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(space.Span[PacketHeader.Size..]), item);
            return space;
        }

        if (item is byte[] bytes && typeof(T) == typeof(byte[]))
        {
            flags |= PacketFlags.Plain;
            var space = Plain(bytes.Length);
            bytes.CopyTo(space[PacketHeader.Size..]);
            return space;
        }

        if (alone)
            flags |= PacketFlags.StandsAlone;
        else if (_graph is null)
            flags |= PacketFlags.NewSession;
        var writer = alone ? new(new()) : _graph ??= new(new());
        writer.Begin(PacketHeader.Size);
        try
        {
            writer.Write(item);
        }
        catch
        {
            writer.Abandon();
            if ((flags & PacketFlags.NewSession) != 0)
                _graph = null;
            throw;
        }

        return MemoryMarshal.AsMemory(writer.Written);
    }

    Memory<byte> Plain(int length)
    {
        if (_plain.Length < length + PacketHeader.Size)
            _plain = GC.AllocateUninitializedArray<byte>(length + PacketHeader.Size);
        return _plain.AsMemory(0, length + PacketHeader.Size);
    }
}
