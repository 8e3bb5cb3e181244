using System.Diagnostics;

namespace Skein.Bench.Mobility;

/// <summary>What a disk can keep: processes that store themselves at each step, beside bytes that are appended to a file and flushed one after another,
/// and beside an engine that replays.</summary>
static class DurableSteps
{
    const int Processes = 256;

    /// <summary>Beside the program: the folder of temporary files may be in memory.</summary>
    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "durable-steps");

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public static Experiment Create(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromSeconds(1));
        return new("durable-steps", "durable steps of 256 processes, beside flushes of the same disk and an engine that replays", Unit.PerSecond,
        [
            new Local("file log", "FileStore; Here.Checkpoint() in a loop", () => StepsAsync(FileStore.Open, time)),
            new Local("SQLite", "SqliteStore, synchronous=FULL; Here.Checkpoint() in a loop", () => StepsAsync(SqliteStore.Open, time)),
            new Local("flush", "256 bytes appended to a file, FlushToDisk, one after another", () => Task.FromResult(Flushes(time))),
            PeerProgram.Dbos(Path.Combine(AppContext.BaseDirectory, "dbos"), Processes, time),
        ],
        [
            new("file log", "flush") { AtLeast = 200 },
            new("SQLite", "flush") { AtLeast = 50 },
            new("file log", "DBOS") { AtLeast = 10 },
            new("SQLite", "DBOS") { AtLeast = 10 },
        ]);
    }

    static async Task<double> StepsAsync(Func<string, MobileStore> open, TimeSpan time)
    {
        Directory.CreateDirectory(Folder);
        await using (var store = open(Path.Combine(Folder, "processes")))
        {
            var (node, end) = (new MobileNode("durable", store: store), new EndOfSteps());
            node.Provide("end", end);
            var started = Stopwatch.GetTimestamp();
            var processes = Enumerable.Range(0, Processes).Select(_ => node.Start(Step)).ToArray();
            await Task.Delay(time);
            end.IsNow = true;
            var steps = (await Task.WhenAll(processes.Select(process => process.Completion)).Within()).Sum();
            var took = Stopwatch.GetElapsedTime(started);
            if ((await store.ReadAsync()).Count > 0)
                throw new InvalidDataException("the store has processes that have ended");
            await store.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
            return steps / took.TotalSeconds;
        }
    }

    static async Mobile<long> Step()
    {
        var steps = 0L;
        for (; !Here.Resource<EndOfSteps>("end").IsNow; steps++)
            await Here.Checkpoint();
        return steps;
    }

    [StaysHere("it is the node's")]
    sealed class EndOfSteps
    {
        public volatile bool IsNow;
    }

    static double Flushes(TimeSpan time)
    {
        Directory.CreateDirectory(Folder);
        var (count, bytes) = (0, new byte[256]);
        var started = Stopwatch.GetTimestamp();
        using (var file = File.OpenHandle(Path.Combine(Folder, "flushes"), FileMode.Create, FileAccess.Write))
        {
            for (; Stopwatch.GetElapsedTime(started) < time; count++)
            {
                RandomAccess.Write(file, bytes, (long)count * bytes.Length);
                RandomAccess.FlushToDisk(file);
            }
        }

        var each = count / Stopwatch.GetElapsedTime(started).TotalSeconds;
        Directory.Delete(Folder, recursive: true);
        return each;
    }
}
