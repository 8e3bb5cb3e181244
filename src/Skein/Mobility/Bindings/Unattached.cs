namespace Skein;

/// <summary>
/// For a field that holds a file or a folder whose bytes travel with the process: a <see cref="FileInfo"/>, a <see cref="DirectoryInfo"/>, an open
/// <see cref="FileStream"/> (with its position), or a <see cref="string"/> that is a path.
/// <code>
/// sealed class Surveyor
/// {
///     [Unattached] readonly FileInfo _notes = new("notes.txt");
/// }
/// </code>
/// After a move the field holds a copy of the process's own in a temporary folder, which goes with it, and is gone when it has ended. What
/// the process was given at its first node stays there as it was when it left. A SQLite file travels with its journal: close the connection, or let no
/// transaction be open, while the process waits. For a local, see <see cref="Unattached{T}"/>.
/// </summary>
public sealed class UnattachedAttribute : BindingAttribute
{
    internal override Type Codec(Type field) =>
        (field.IsAssignableFrom(typeof(string)) || field.IsAssignableTo(typeof(FileSystemInfo)) || field.IsAssignableFrom(typeof(FileStream)) || field.IsAssignableFrom(typeof(FileInfo))
            ? typeof(UnattachedCodec<>) : typeof(UnboundCodec<>)).MakeGenericType(field);
}

/// <summary>A file or folder whose bytes travel, in a local: what <see cref="UnattachedAttribute"/> is for fields.</summary>
public sealed class Unattached<T> where T : class
{
    [Unattached] readonly T _value;

    internal Unattached(T value) => _value = value;

    /// <summary>As it is at this node: at another the same bytes stand elsewhere.</summary>
    public T Value => _value;
}

/// <summary>Makes an <see cref="Unattached{T}"/>.</summary>
public static class Unattached
{
    /// <summary>A file: <c>Unattached.Of(new FileInfo("notes.txt"))</c>.</summary>
    public static Unattached<FileInfo> Of(FileInfo file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new(file);
    }

    /// <summary>A folder with all that is in it.</summary>
    public static Unattached<DirectoryInfo> Of(DirectoryInfo folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new(folder);
    }

    /// <summary>An open file. When the process has left, the stream here is closed.</summary>
    public static Unattached<FileStream> Of(FileStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new(stream);
    }
}
