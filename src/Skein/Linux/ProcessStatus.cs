using System.Globalization;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>What the kernel tells about a process at this moment (proc(5), <c>stat</c>).</summary>
/// <param name="State">R, S, D, T, Z …</param>
/// <param name="StartTime">Clock ticks since the system started: number and start time together name a process for ever.</param>
/// <param name="Ticks">Processor time it used so far, in clock ticks.</param>
[SupportedOSPlatform("linux")]
readonly record struct ProcessStatus(int Id, char State, int Parent, int Group, int Session, bool IsKernelThread, long Ticks, long StartTime)
{
    const long KernelThread = 0x200000;

    /// <summary>It has ended; only its status has not been taken yet.</summary>
    public bool IsDead => State is 'Z' or 'X';

    /// <summary>Null where there is no such process.</summary>
    public static ProcessStatus? Read(int id)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var length = ProcessFile.Read($"/proc/{id}/stat", buffer);
        if (length <= 0)
            return null;

        // The name in parentheses may itself contain spaces and parentheses.
        var text = buffer[..length];
        var rest = text[(text.LastIndexOf((byte)')') + 2)..];
        Span<long> fields = stackalloc long[20];
        var state = (char)rest[0];
        var field = 0;
        foreach (var part in rest[2..].Split((byte)' '))
        {
            if (field == fields.Length)
                break;
            _ = long.TryParse(rest[2..][part], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out fields[field++]);
        }

        return new(id, state, (int)fields[0], (int)fields[1], (int)fields[2], (fields[5] & KernelThread) != 0, fields[10] + fields[11], fields[18]);
    }

    /// <summary>
    /// Whether a process of ours has no environment because it was given none. Otherwise one whose environment reads as empty is in the
    /// middle of execve: its new memory has no environment yet, or what was opened belongs to its old memory. The kernel begins with an
    /// empty one, fills it, and only then says where the code ends.
    /// </summary>
    public static bool HasEmptyEnvironment(int id)
    {
        const int CodeEnd = 27 - 3, Start = 50 - 3, End = 51 - 3;   // counted from the state, which is the third field
        Span<byte> buffer = stackalloc byte[1024];
        var length = ProcessFile.Read($"/proc/{id}/stat", buffer);
        if (length <= 0)
            return true;   // it has ended
        var rest = buffer[..length][(buffer[..length].LastIndexOf((byte)')') + 2)..];
        if (rest[0] is (byte)'Z' or (byte)'X')
            return true;
        var (field, code, start, end) = (0, 0UL, 0UL, 0UL);
        foreach (var part in rest.Split((byte)' '))
        {
            _ = field switch
            {
                CodeEnd => ulong.TryParse(rest[part], NumberStyles.None, CultureInfo.InvariantCulture, out code),
                Start => ulong.TryParse(rest[part], NumberStyles.None, CultureInfo.InvariantCulture, out start),
                End => ulong.TryParse(rest[part], NumberStyles.None, CultureInfo.InvariantCulture, out end),
                _ => false,
            };
            field++;
        }

        return start == end && code != 0;
    }

    /// <summary>
    /// What was started after a process that began a moment ago: numbers are given in rising order, and /proc/loadavg tells the last one.
    /// A few looks instead of one at every process. What this process itself has started is left out: it knows its own. Null where the order says nothing: the numbers began anew, or too many were given.
    /// </summary>
    public static IEnumerable<ProcessStatus>? ReadAfter(int id)
    {
        const int Few = 1024;
        Span<byte> buffer = stackalloc byte[128];
        var length = ProcessFile.Read("/proc/loadavg", buffer);
        if (length <= 0)
            return null;
        var text = buffer[..length].TrimEnd((byte)'\n');
        return int.TryParse(text[(text.LastIndexOf((byte)' ') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last >= id && last - id <= Few
            ? Enumerable.Range(id + 1, last - id).Where(ChildWatcher.Shared.IsNoChild).Select(Read).OfType<ProcessStatus>()
            : null;
    }

    /// <summary>All processes at this moment; of those that come and go meanwhile some.</summary>
    public static IEnumerable<ProcessStatus> ReadAll()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(folder.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(id) is { } status)
                yield return status;
        }
    }
}
