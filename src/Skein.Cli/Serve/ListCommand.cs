using System.Globalization;
using System.Text;

namespace Skein.Cli;

/// <summary>Carries out <c>skein ps</c>.</summary>
static class ListCommand
{
    public static async Task<int> RunAsync(bool json)
    {
        var servers = await RunningServers.AllAsync().ConfigureAwait(false);
        if (json)
            servers.ForEach(server => StandardStream.Output.Write(server.Json.GetRawText() + "\n"));
        else
            StandardStream.Output.Write(Table(servers));
        return 0;
    }

    static string Table(List<RunningServer> servers)
    {
        var text = new StringBuilder("ID                       KIND    STATE        PID        AGE   REQUESTS  MEMORY  ADDRESS\n");
        var now = TimeProvider.System.GetUtcNow();
        foreach (var server in servers)
        {
            Add(server.Id, server.Kind, server.State, server.Pid, server.Started, null, null, server.Kind == "server" ? server.Addresses : "");
            foreach (var worker in server.Workers)
                Add("  " + worker.Id, worker.Kind, worker.State, worker.Pid, worker.Started, worker.Requests, worker.Memory, worker.Address);
        }

        return text.ToString();

        void Add(string id, string kind, string state, int pid, DateTimeOffset started, long? requests, long? memory, string address) =>
            text.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"{id,-24} {kind,-7} {state,-10} {(pid > 0 ? pid : null),5} {Duration.Format(now - started),10} {requests,10} {(memory is { } bytes ? ByteSize.Format(bytes) : ""),7}  {address}").TrimEnd());
    }
}
