using System.Collections.Concurrent;
using System.Text;

namespace Skein;

/// <summary>
/// The tables of this process whose sessions go on in another when it drains. What comes from another process before its table is made here
/// waits for that.
/// </summary>
/// <remarks>
/// <code>
///  the old worker ── copies of all ──► the new one takes connections; the old one serves those that it has, to their end
///                 ── what was used, made or ended meanwhile ──► the new one keeps what was used last
/// </code>
/// </remarks>
static class SessionHandOver
{
    static readonly ConcurrentDictionary<string, HandedTable> Tables = new();
    static readonly ConcurrentDictionary<string, ConcurrentQueue<byte[]>> Early = new();

    /// <exception cref="ArgumentException">There is such a table.</exception>
    public static void Add(string name, HandedTable table)
    {
        if (!Tables.TryAdd(name, table))
            throw new ArgumentException($"There is a table of sessions '{name}' in this process, and two cannot be handed over as one.", nameof(name));
        if (Early.TryRemove(name, out var waiting))
        {
            foreach (var sessions in waiting)
                table.Take(sessions);
        }
    }

    public static void Remove(string name) => Tables.TryRemove(name, out _);

    /// <summary>Writes copies of all sessions.</summary>
    public static void WriteCopies(Stream to) => Write(to, static table => table.Copy());

    /// <summary>Writes what has changed since the copies were made, and takes the sessions out.</summary>
    public static void WriteRest(Stream to) => Write(to, static table => table.Rest());

    /// <summary>Reads what one of the two has written; false: the other process has ended.</summary>
    public static bool Read(Stream from)
    {
        try
        {
            using var reader = new BinaryReader(from, Encoding.UTF8, leaveOpen: true);
            for (var count = reader.ReadInt32(); count > 0; count--)
                Take(reader.ReadString(), reader.ReadBytes(reader.ReadInt32()));
            return true;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }

    static void Take(string name, byte[] sessions)
    {
        Early.GetOrAdd(name, static _ => new()).Enqueue(sessions);
        if (Tables.TryGetValue(name, out var table) && Early.TryRemove(name, out var waiting))
        {
            foreach (var each in waiting)
                table.Take(each);
        }
    }

    static void Write(Stream to, Func<HandedTable, byte[]> sessions)
    {
        using var writer = new BinaryWriter(to, Encoding.UTF8, leaveOpen: true);
        var tables = Tables.ToArray();
        writer.Write(tables.Length);
        foreach (var (name, table) in tables)
        {
            var bytes = sessions(table);
            writer.Write(name);
            writer.Write(bytes.Length);
            writer.Write(bytes);
        }

        writer.Flush();
    }
}

/// <summary>A table of sessions whose type only it knows.</summary>
/// <param name="Copy">Copies of all sessions, as bytes.</param>
/// <param name="Rest">What has changed since; the table is empty then.</param>
/// <param name="Take">Goes on with what one of the two has given in another process.</param>
sealed record HandedTable(Func<byte[]> Copy, Func<byte[]> Rest, Action<byte[]> Take);
