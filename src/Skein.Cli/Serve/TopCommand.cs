using System.Globalization;

namespace Skein.Cli;

/// <summary>Carries out <c>skein top</c>: a table each second of what happened since the one before.</summary>
static class TopCommand
{
    public static async Task<int> RunAsync(int rounds)
    {
        var before = new Dictionary<string, RunningWorker>();
        var looked = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < rounds; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System).ConfigureAwait(false);
            var workers = (await RunningServers.ServersAsync().ConfigureAwait(false)).SelectMany(server => server.Workers).ToList();
            var seconds = TimeProvider.System.GetElapsedTime(looked).TotalSeconds;
            looked = TimeProvider.System.GetTimestamp();
            var table = new TextTable(("WORKER", -23), ("STATE", -9), ("PID", 5), ("CPU%", 6), ("REQ/S", 5), ("MEAN ms", 7), ("ACTIVE", 6), ("CONNECTIONS", 11), ("MEMORY", 6));
            foreach (var worker in workers)
                table.Add(Cells(worker, before.GetValueOrDefault(worker.Id), seconds));
            StandardStream.Output.Write($"{(StandardStream.Output.IsTerminal ? "\e[H\e[2J" : "")}{table}");
            before = workers.ToDictionary(worker => worker.Id);
        }

        return 0;
    }

    static string[] Cells(RunningWorker now, RunningWorker? before, double seconds)
    {
        var requests = before is null ? 0 : now.Requests - before.Requests;
        var mean = before is null || requests == 0 ? 0 : (now.Microseconds - before.Microseconds) / 1000.0 / requests;
        var processor = before is null ? 0 : (now.ProcessorSeconds - before.ProcessorSeconds) / seconds * 100;
        return
        [
            now.Id, now.State, Text($"{now.Pid}"), Text($"{processor:0.0}"), Text($"{requests / seconds:0}"), Text($"{mean:0.00}"), Text($"{now.Active}"), Text($"{now.Connections}"),
            ByteSize.Format(now.Memory),
        ];

        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }
}
