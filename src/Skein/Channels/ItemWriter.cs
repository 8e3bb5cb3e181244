using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>Items as bytes: plain values and byte arrays as they lie in memory, everything else through the graph codec.</summary>
sealed class ItemWriter<T>
{
    byte[] _plain = [];
    GraphWriter? _graph, _alone;

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

        if (!alone && _graph is null)
            flags |= PacketFlags.NewSession;
        var writer = alone ? _alone ??= new(new(withPaths: false)) : _graph ??= new(new());
        if (alone)
        {
            flags |= PacketFlags.StandsAlone;
            writer.Session.Reset();
        }

        writer.Begin(PacketHeader.Size);
        try
        {
            writer.Write(item);
        }
        catch when ((flags & PacketFlags.NewSession) != 0)
        {
            _graph = null;
            throw;
        }

        return writer.Written;
    }

    Memory<byte> Plain(int length)
    {
        if (length > WireLimits.MaxMessage)   // its reader would refuse it
            throw new MessageTooLargeException(length);
        if (_plain.Length < length + PacketHeader.Size)
            _plain = GC.AllocateUninitializedArray<byte>(length + PacketHeader.Size);
        return _plain.AsMemory(0, length + PacketHeader.Size);
    }
}
