using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>
/// A file, or a folder with all that is in it, in an image: names, modes, bytes. A SQLite database goes with its journals, which belong to it.
/// </summary>
/// <remarks>An entry: kind, name, mode, then for a file its bytes, for a folder the count of its entries and these.</remarks>
static class FileTree
{
    /// <summary>Of all files of one entry. An image is made in memory, and memory is what it takes at both nodes: larger things stay better where they are.</summary>
    const long MaxBytes = 256 << 20;

    const int MaxEntries = 10_000;
    const int MaxDepth = 64;

    const byte FileKind = 1, FolderKind = 2;

    static ReadOnlySpan<byte> SqliteMark => "SQLite format 3\0"u8;

    static readonly string[] Journals = ["-wal", "-journal"];

    /// <param name="value">What stands for it in the process, and is named if it cannot travel.</param>
    public static void Write(GraphWriter writer, string path, object value)
    {
        var copying = new Copying(writer, value);
        try
        {
            if (File.Exists(path))
            {
                var journals = Array.FindAll(Journals, suffix => IsDatabase(path) && File.Exists(path + suffix));
                writer.WriteByte((byte)(1 + journals.Length));
                copying.File(path);
                foreach (var suffix in journals)
                    copying.File(path + suffix);
            }
            else
            {
                writer.WriteByte(1);
                copying.Folder(Path.TrimEndingDirectorySeparator(path), 0);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw copying.Refusal(e.Message);
        }
    }

    /// <summary>Makes it in the process's own folder; where it is.</summary>
    public static string Read(GraphReader reader, ImageReading image)
    {
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(image.MakeFolder(), $"{image.Entries}")).FullName;
            string? first = null;
            for (var parts = reader.ReadByte(); parts > 0; parts--)
            {
                var path = ReadEntry(reader, image, folder, 0);
                first ??= path;
            }
            return first ?? throw GraphReader.Bad("a file that is none");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotArriveException($"Node {image.Node.Name} cannot keep the process's files: {e.Message}", e);
        }
    }

    sealed class Copying(GraphWriter writer, object value)
    {
        long _bytes;
        int _entries;

        public void File(string path)
        {
            Begin(FileKind, path);
            using var file = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var (length, written) = (RandomAccess.GetLength(file), System.IO.File.GetLastWriteTimeUtc(file));
            if ((_bytes += length) > MaxBytes)
                throw Refusal($"{path} makes it larger than the {MaxBytes >> 20} MiB that travel with a process");
            var read = Fill(file, writer.WriteBytes(length));
            if (read < length || RandomAccess.GetLength(file) != length || System.IO.File.GetLastWriteTimeUtc(file) != written)
                throw Refusal($"{path} is being written by somebody while it is to travel");
        }

        public void Folder(string path, int depth)
        {
            if (depth > MaxDepth)
                throw Refusal($"{path} is nested too deeply");
            Begin(FolderKind, path);
            var entries = new DirectoryInfo(path).GetFileSystemInfos();
            writer.WriteNumber((uint)entries.Length);
            foreach (var entry in entries)
            {
                if (entry.LinkTarget is not null)
                    throw Refusal($"{entry.FullName} is a link, which means nothing elsewhere");
                if (entry is DirectoryInfo)
                    Folder(entry.FullName, depth + 1);
                else
                    File(entry.FullName);
            }
        }

        void Begin(byte kind, string path)
        {
            if (++_entries > MaxEntries)
                throw Refusal($"{path} is one of more than {MaxEntries} files");
            writer.WriteByte(kind);
            writer.WriteText(Path.GetFileName(path));
            writer.WriteNumber(OperatingSystem.IsWindows() ? 0 : (ulong)System.IO.File.GetUnixFileMode(path));
        }

        public Refusal Refusal(string reason) => new(value, value.GetType(), $"the bytes of {SourceNames.Of(value.GetType())} cannot travel: {reason}");
    }

    static string ReadEntry(GraphReader reader, ImageReading image, string folder, int depth)
    {
        var kind = reader.ReadByte();
        var name = reader.ReadText();
        var mode = (UnixFileMode)(reader.ReadNumber() & 0x1FF);   // no set-user-id
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0') || depth > MaxDepth || ++image.Entries > MaxEntries)
            throw GraphReader.Bad("a file that must not be");
        var path = Path.Combine(folder, name);
        if (kind == FileKind)
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.Write(file, reader.ReadBytes(), 0);
        }
        else if (kind == FolderKind)
        {
            Directory.CreateDirectory(path);
            for (var entries = reader.ReadCount(3); entries > 0; entries--)
                ReadEntry(reader, image, path, depth + 1);
        }
        else
        {
            throw GraphReader.Bad("neither a file nor a folder");
        }
        if (!OperatingSystem.IsWindows() && mode != 0)
            File.SetUnixFileMode(path, mode | (UnixFileMode.UserRead | UnixFileMode.UserWrite) | (kind == FolderKind ? UnixFileMode.UserExecute : 0));
        return path;
    }

    static bool IsDatabase(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> head = stackalloc byte[16];
        return Fill(file, head) == 16 && head.SequenceEqual(SqliteMark);
    }

    static int Fill(SafeFileHandle file, Span<byte> bytes)
    {
        var at = 0;
        for (int read; at < bytes.Length && (read = RandomAccess.Read(file, bytes[at..], at)) > 0;)
            at += read;
        return at;
    }
}
