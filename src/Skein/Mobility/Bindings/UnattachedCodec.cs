namespace Skein;

/// <summary>Files and folders as their bytes; open ones with their position.</summary>
sealed class UnattachedCodec<T> : ValueCodec<T>
{
    enum Kind : byte
    {
        Null,
        Path,
        File,
        Folder,
        Stream,
        ClosedStream,
    }

    public override void Write(GraphWriter writer, ref T value)
    {
        switch (value)
        {
            case null:
                writer.WriteByte((byte)Kind.Null);
                break;
            case string path:
                Write(writer, Kind.Path, path, path);
                break;
            case FileInfo file:
                Write(writer, Kind.File, file.FullName, file);
                break;
            case DirectoryInfo folder:
                Write(writer, Kind.Folder, folder.FullName, folder);
                break;
            case FileStream stream:
                Write(writer, stream);
                break;
            default:
                throw new Refusal(value, value.GetType(), $"{SourceNames.Of(value.GetType())} has no bytes that could travel: a file, a folder, an open file or a path has");
        }
    }

    static void Write(GraphWriter writer, Kind kind, string path, object value)
    {
        _ = ImageWriting.Of(writer, value);
        writer.WriteByte((byte)kind);
        FileTree.Write(writer, path, value);
    }

    static void Write(GraphWriter writer, FileStream stream)
    {
        var image = ImageWriting.Of(writer, stream);
        if (stream.SafeFileHandle.IsClosed)
        {
            writer.WriteByte((byte)Kind.ClosedStream);
            return;
        }
        if (!stream.CanSeek)
            throw new Refusal(stream, typeof(FileStream), $"{stream.Name} is no file with bytes of its own (a pipe, a terminal)");
        stream.Flush();
        writer.WriteByte((byte)Kind.Stream);
        writer.WriteByte((byte)((stream.CanRead ? FileAccess.Read : 0) | (stream.CanWrite ? FileAccess.Write : 0)));
        writer.WriteNumber((ulong)stream.Position);
        FileTree.Write(writer, stream.Name, stream);
        image.WhenLeft(stream.Dispose);
    }

    public override void Read(GraphReader reader, ref T value)
    {
        var image = ImageReading.Of(reader);
        object? made = (Kind)reader.ReadByte() switch
        {
            Kind.Null => null,
            Kind.Path => FileTree.Read(reader, image),
            Kind.File => new FileInfo(FileTree.Read(reader, image)),
            Kind.Folder => new DirectoryInfo(FileTree.Read(reader, image)),
            Kind.Stream => Open(reader, image),
            Kind.ClosedStream => Closed(image),
            _ => throw GraphReader.Bad("an unknown kind of file"),
        };
        value = made is null or T ? (T)made! : throw GraphReader.Bad($"a {made.GetType()} in a field for a {typeof(T)}");
    }

    static FileStream Open(GraphReader reader, ImageReading image)
    {
        var access = (FileAccess)reader.ReadByte();
        var position = reader.ReadNumber();
        if (access is < FileAccess.Read or > FileAccess.ReadWrite || position > long.MaxValue)
            throw GraphReader.Bad("a file that is open in an unknown way");
        var stream = new FileStream(FileTree.Read(reader, image), FileMode.Open, access, FileShare.Read) { Position = (long)position };
        image.Made(stream);
        return stream;
    }

    static FileStream Closed(ImageReading image)
    {
        var stream = new FileStream(Path.Combine(image.MakeFolder(), "closed"), FileMode.Create);
        stream.Dispose();
        return stream;
    }
}
