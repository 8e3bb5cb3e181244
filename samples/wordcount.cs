// Counts words in a folder of text, as map and reduce: a pool of OS processes counts a file each, this program adds the counts up.
// A word is a run of letters, whatever their case.
//
//   dotnet run samples/wordcount.cs -- /usr/share/common-licenses
//   dotnet run samples/wordcount.cs -- /usr/share/common-licenses --top 20 --workers 4
//   dotnet run samples/wordcount.cs -- /usr/share/common-licenses --kill
//
// Files are read in the workers. A worker that is lost costs time and nothing else: its file is counted again by another. --kill shows
// it: three workers are killed, each in the middle of a file, and the counts are the same.

#:project ../src/Skein
using System.Diagnostics;
using System.Runtime.InteropServices;
using Skein;

if (args is not [var folder, ..] || !Directory.Exists(folder))
{
    Console.Error.WriteLine("wordcount: the first argument is the folder to count in, as /usr/share/common-licenses");
    return 64;
}

var (top, workers, kills) = (Option("--top") ?? 10, Option("--workers") ?? Environment.ProcessorCount, args.Contains("--kill") ? 3 : 0);
var middle = kills > 0 ? Callback.To((int worker) => Interlocked.Decrement(ref kills) >= 0 && Kill(worker)) : null;
var started = Stopwatch.GetTimestamp();
await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = workers, Retries = 3 });

var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
var totals = new Dictionary<string, int>();
var (files, failed) = (0, 0);
await foreach (var file in pool.MapUnorderedAsync(Directory.EnumerateFiles(folder, "*", everything), file => CountWords(file, middle)))   // map
{
    if (!file.Succeeded)
    {
        failed++;
        Console.Error.WriteLine($"wordcount: {file.Input}: {file.Error!.Message}");
        continue;
    }

    files++;
    foreach (var (word, count) in file.Value)   // reduce
        CollectionsMarshal.GetValueRefOrAddDefault(totals, word, out _) += count;
}

foreach (var (word, count) in totals.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal).Take(top))
    Console.WriteLine($"{count,8} {word}");
Console.WriteLine($"{files} files, {totals.Values.Sum(count => (long)count)} words, {totals.Count} different");
Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds:F2} s, {workers} workers, {pool.StartedWorkers} started");
return failed == 0 ? 0 : 1;

int? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? int.Parse(args[at + 1]) : null;

static async Task<Dictionary<string, int>> CountWords(string file, Callback<int, bool>? middle)
{
    var text = File.ReadAllText(file).ToLowerInvariant();
    if (middle is not null)
        await middle.InvokeAsync(Environment.ProcessId);

    var counts = new Dictionary<string, int>();
    var words = counts.GetAlternateLookup<ReadOnlySpan<char>>();
    for (var start = 0; start < text.Length;)
    {
        var end = start;
        while (end < text.Length && char.IsLetter(text[end]))
            end++;
        if (end > start)
            CollectionsMarshal.GetValueRefOrAddDefault(words, text.AsSpan(start..end), out _)++;
        start = end + 1;
    }

    return counts;
}

static bool Kill(int worker)
{
    Console.Error.WriteLine($"killing worker {worker}");
    using var victim = Process.GetProcessById(worker);
    victim.Kill();   // SIGKILL: it has no chance to say good-bye
    return true;
}
