using System.Text;

namespace Skein;

/// <summary>
/// The nodes of one user on one machine: a folder that nobody else may enter, with a socket <c>NAME.node</c> for the others, a lock <c>NAME.lock</c> and a socket
/// <c>NAME.sock</c> for operators of each.
/// The lock ends with the operating-system process that has it, however that ends; so it tells who lives.
/// </summary>
sealed class NodeFolder
{
    const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What the path of a socket may have; the system's field has room for one byte more, which ends it.</summary>
    const int LongestPath = 107;

    /// <summary>Others look for a moment whether a lock is held.</summary>
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    readonly string _folder;

    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public NodeFolder(string? folder)
    {
        _folder = folder ?? NodesRoot.Folder;
        Directory.CreateDirectory(_folder, Own);
        if (File.GetUnixFileMode(_folder) != Own)
            File.SetUnixFileMode(_folder, Own);   // refused where somebody else has made it
    }

    /// <exception cref="ArgumentException">It cannot be the name of a node.</exception>
    /// <param name="name">Of the node.</param>
    /// <param name="folder">As of <see cref="WhyNoName"/>.</param>
    public static void CheckName(string name, string folder = "/")
    {
        ArgumentNullException.ThrowIfNull(name);
        if (WhyNoName(name, Path.GetFullPath(folder)) is { } why)
            throw new ArgumentException(why, nameof(name));
    }

    /// <summary>Null where it can be the name of a node.</summary>
    /// <param name="name">Of the node.</param>
    /// <param name="folder">Where it would be; of one of another machine that is not known, and may be short.</param>
    public static string? WhyNoName(string name, string folder = "/") =>
        string.IsNullOrWhiteSpace(name) || name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || name.Any(char.IsControl) || name is "." or ".."
            ? $"A node cannot be named '{name}': its socket is a file of this name."
            : Encoding.UTF8.GetByteCount(Path.Combine(folder, name + ".node")) is > LongestPath and var length
                ? $"A node cannot be named '{name}': the path of its socket in {folder} would have {length} bytes, and the system takes {LongestPath}. Give it a shorter name, or set SKEIN_HOME to a folder with a shorter one."
                : null;

    /// <summary>The names of nodes that have a socket; some may have ended.</summary>
    public IEnumerable<string> Names => Directory.EnumerateFiles(_folder, "*.node").Select(static file => Path.GetFileNameWithoutExtension(file));

    public string SocketOf(string name) => Path.Combine(_folder, name + ".node");

    /// <summary>Where a node is asked what it does, and told.</summary>
    public string ControlOf(string name) => Path.Combine(_folder, name + ".sock");

    /// <summary>Whether it is certain that no operating-system process is this node now.</summary>
    public bool HasEnded(string name)
    {
        try
        {
            using var look = new FileStream(LockOf(name), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)   // somebody has it, or looks; or there is none
        {
            return false;
        }
    }

    /// <summary>Makes this process the node, until it disposes of the claim, or ends.</summary>
    /// <exception cref="IOException">Another process is the node.</exception>
    public async Task<IDisposable> ClaimAsync(string name, CancellationToken cancellation)
    {
        for (var look = 1; ; look++)
        {
            try
            {
                return new FileStream(LockOf(name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e)
            {
                if (look == 25)
                    throw new IOException($"A node named {name} runs already ({SocketOf(name)}): give this one another name.", e);
            }
            await Task.Delay(Moment, TimeProvider.System, cancellation).ConfigureAwait(false);
        }
    }

    string LockOf(string name) => Path.Combine(_folder, name + ".lock");
}
