using System.Buffers.Binary;

namespace Skein;

/// <summary>A parked process as bytes: the graph of its frames, with what they hold.</summary>
/// <remarks>
/// An image: <c>format u8, check u32, version of .NET 3 x u8, layout of its types u32</c>, little end first, then the graph. The check (CRC-32C) covers what
/// follows it.
/// </remarks>
static class MobileImage
{
    /// <summary>The first byte. Another layout of images will have another number.</summary>
    const byte Format = 4;

    const int LayoutStart = 1 + sizeof(uint), HeaderSize = LayoutStart + FrameworkLayout.Size;

    [ThreadStatic]
    static GraphWriter? _writer;

    [ThreadStatic]
    static (GraphReader Reader, GraphSession Session)? _reader;

    /// <exception cref="CannotTravelException">Something in it belongs to this place.</exception>
    public static byte[] Write(MobileState state, ImageWriting context)
    {
        var writer = _writer ?? new(new(withPaths: false));
        _writer = null;
        try
        {
            writer.Session.Reset();
            writer.Begin(HeaderSize);
            writer.Context = context;
            writer.Write(state);
            var image = writer.Written.ToArray();
            image[0] = Format;
            context.Node.Framework.Write(image.AsSpan(LayoutStart));
            Seal(image);
            return image;
        }
        finally
        {
            writer.Session.Reset();
            writer.Abandon();
            writer.Context = null;
            _writer = writer.HoldsCollectible ? null : writer;
        }
    }

    /// <summary>Writes the check.</summary>
    public static void Seal(byte[] image) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(1), Crc32C.Of(image.AsSpan(LayoutStart)));

    /// <summary>Makes the objects. What of the application's own code is needed to finish them runs in the process's first turn.</summary>
    /// <exception cref="InvalidDataException">The bytes are no image, or one that was made with a version of .NET whose collections have other fields.</exception>
    /// <exception cref="ModuleVersionException">It is of another build of the application.</exception>
    /// <exception cref="CannotMoveException">It needs what this node does not have: a resource, memory.</exception>
    /// <param name="image">What <see cref="Write"/> wrote.</param>
    /// <param name="node">Where it is to go on.</param>
    /// <param name="space">Modules beside those that the program was started with. The process takes over a user's place in it.</param>
    /// <param name="modules">Where its modules are, if not there.</param>
    public static (MobileState State, Action? Finish) Read(byte[] image, MobileNode node, ModuleSpace? space = null, ModuleSource? modules = null)
    {
        if (_reader is not var (reader, session))
        {
            session = new(withPaths: false);
            reader = new(session);
        }
        _reader = null;
        var isFinished = false;
        var context = new ImageReading(node);
        try
        {
            session.Reset();
            Check(image, node.Framework);
            reader.Begin(image, HeaderSize, image.Length - HeaderSize);
            reader.Context = context;
            reader.Modules = modules ?? space;
            var state = reader.Read<MobileState>();
            reader.End();
            state.Arrived(context, space);
            isFinished = !reader.IsUnfinished;
            return (state, isFinished ? null : reader.Finish);
        }
        catch (Exception e)
        {
            context.Discard();
            if (e is CannotArriveException missing)
                throw new CannotMoveException(e.Message, e.InnerException) { Function = missing.Function };
            if (e is OutOfMemoryException or InvalidDataException { InnerException: OutOfMemoryException })
                throw new CannotMoveException(Handovers.NoMemory(node.Name, image.Length), e);
            throw;
        }
        finally
        {
            if (isFinished)
            {
                reader.Begin([], 0, 0);
                reader.Context = null;
                reader.Modules = null;
                _reader = session.HoldsCollectible ? null : (reader, session);
            }
        }
    }

    static void Check(ReadOnlySpan<byte> image, FrameworkLayout here)
    {
        if (image.Length < HeaderSize || image[0] != Format)
            throw new InvalidDataException("These bytes are no image of a mobile process, or one of another version of Skein.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(image[1..]) != Crc32C.Of(image[LayoutStart..]))
            throw new InvalidDataException("This image of a mobile process is damaged: it is not what was written.");
        if (FrameworkLayout.Read(image[LayoutStart..]) is var there && there.Fingerprint != here.Fingerprint)
            throw new InvalidDataException($"The image was made with .NET {there.Version}, whose collections have other fields than those of .NET {here.Version} here: run both with one version of .NET.");
    }
}
