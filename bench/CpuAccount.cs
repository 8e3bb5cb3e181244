using System.Diagnostics;
using System.Globalization;

namespace Skein.Bench;

/// <summary>
/// How much of the machine others used meanwhile: all processors' busy time (/proc/stat, stolen time included) less what this
/// program and its descendants used, those that ended meanwhile too. In hundredths of a second, so only for longer spans.
/// </summary>
sealed class CpuAccount
{
    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);   // twenty of the clock's ticks

    readonly long _started = Stopwatch.GetTimestamp();
    readonly long _busy = Busy(), _own = Own();

    /// <summary>In processors: 1.0 is one processor busy with other things all the time. Null where the span was too short to tell.</summary>
    public double? Foreign()
    {
        var elapsed = Stopwatch.GetElapsedTime(_started);
        var ticks = Busy() - _busy - (Own() - _own);
        return elapsed < Shortest ? null : Math.Max(0, ticks / 100.0 / elapsed.TotalSeconds);
    }

    static long Busy()
    {
        // user nice system idle iowait irq softirq steal
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(Number).ToArray();
        return fields.Sum() - fields[3] - fields[4];
    }

    static long Own()
    {
        var all = new Dictionary<int, (int Parent, long Ticks)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && Read(id) is { } process)
                all[id] = process;
        }

        return all.Keys.Where(IsOwn).Sum(id => all[id].Ticks);

        bool IsOwn(int id) => id == Environment.ProcessId || (all.TryGetValue(id, out var process) && process.Parent > 1 && IsOwn(process.Parent));
    }

    /// <summary>Parent, and the time used by the process and by its children that it has waited for; null when it has just ended.</summary>
    static (int Parent, long Ticks)? Read(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return ((int)Number(fields[1]), fields[11..15].Sum(Number));
        }
        catch (IOException)
        {
            return null;
        }
    }

    static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
