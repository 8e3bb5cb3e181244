using System.Globalization;
using System.Text;

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
            var text = new StringBuilder(StandardStream.Output.IsTerminal ? "\e[H\e[2J" : "");
            text.AppendLine("WORKER                   STATE        PID    CPU%  REQ/S  MEAN ms  ACTIVE  CONNECTIONS  MEMORY");
            foreach (var worker in workers)
                text.AppendLine(Line(worker, before.GetValueOrDefault(worker.Id), seconds));
            StandardStream.Output.Write(text.ToString());
            before = workers.ToDictionary(worker => worker.Id);
        }

        return 0;
    }

    static string Line(RunningWorker now, RunningWorker? before, double seconds)
    {
        var requests = before is null ? 0 : now.Requests - before.Requests;
        var mean = before is null || requests == 0 ? 0 : (now.Microseconds - before.Microseconds) / 1000.0 / requests;
        var processor = before is null ? 0 : (now.ProcessorSeconds - before.ProcessorSeconds) / seconds * 100;
        return string.Create(CultureInfo.InvariantCulture,
            $"{now.Id,-24} {now.State,-10} {now.Pid,5}  {processor,6:0.0} {requests / seconds,6:0}  {mean,7:0.00}  {now.Active,6}  {now.Connections,11}  {ByteSize.Format(now.Memory),6}");
    }
}
