using System.Globalization;
using System.Text;

namespace Skein;

/// <summary>
/// The names on which an authority has signed certificates, and until when the last of each is in force. An authority that is kept in a folder has a file of
/// them there, a line for each certificate: <c>2027-02-20T12:00:00.0000000+00:00 b</c>.
/// </summary>
sealed class IssuedNames
{
    const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly Dictionary<string, DateTimeOffset> _until = [];
    readonly Lock _gate = new();
    string? _file;

    /// <summary>From now on in a file, which has those of before.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void KeepIn(string file)
    {
        lock (_gate)
        {
            _file = file;
            foreach (var (name, until) in _until)
                Append(name, until);
        }
    }

    /// <summary>From now on in the file that an authority had; one of an earlier version had none.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void GoOnIn(string file)
    {
        lock (_gate)
        {
            _file = file;
            CutUnfinished();
            Read();
        }
    }

    /// <summary>Notes a certificate, before it is signed.</summary>
    /// <exception cref="IOException">It cannot be noted.</exception>
    public void Note(string name, DateTimeOffset until)
    {
        lock (_gate)
            Add(name, until);
    }

    /// <summary>The same, unless an earlier one on this name is in force: until then.</summary>
    /// <exception cref="IOException">It cannot be noted.</exception>
    public DateTimeOffset? TryNote(string name, DateTimeOffset now, DateTimeOffset until)
    {
        lock (_gate)
        {
            Read();   // another node of this machine may have the same authority
            if (_until.TryGetValue(name, out var earlier) && earlier > now)
                return earlier;
            Add(name, until);
            return null;
        }
    }

    void Add(string name, DateTimeOffset until)
    {
        if (_file is not null)
            Append(name, until);
        Keep(name, until);
    }

    void Keep(string name, DateTimeOffset until) => _until[name] = _until.TryGetValue(name, out var earlier) && earlier > until ? earlier : until;

    void Append(string name, DateTimeOffset until)
    {
        using var file = new FileStream(_file!, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = OwnFile });
        file.Write(Encoding.UTF8.GetBytes($"{until.ToString("O", CultureInfo.InvariantCulture)} {name}\n"));
        file.Flush(flushToDisk: true);
    }

    // Whoever wrote it was killed meanwhile: then nothing was signed on that name.
    void CutUnfinished()
    {
        if (!File.Exists(_file))
            return;
        using var file = new FileStream(_file, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        file.SetLength(bytes.AsSpan().LastIndexOf((byte)'\n') + 1);
    }

    void Read()
    {
        if (_file is null || !File.Exists(_file))
            return;
        foreach (var line in File.ReadLines(_file))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !DateTimeOffset.TryParseExact(line[..space], "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var until))
                throw new InvalidDataException($"{_file} is damaged: '{line}' is no time and name of a node.");
            Keep(line[(space + 1)..], until);
        }
    }
}
