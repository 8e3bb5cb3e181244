using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Skein.Cli;

/// <summary>Carries out <c>skein ps</c>.</summary>
static class ListCommand
{
    public static async Task<int> RunAsync(bool json)
    {
        var servers = await RunningServers.AllAsync().ConfigureAwait(false);
        StandardStream.Output.Write(json ? Json(servers) : Table(servers));
        return 0;
    }

    /// <summary>A process that is on its way is known to two nodes: it is one.</summary>
    static IEnumerable<RunningProcess> ProcessesOf(List<RunningServer> nodes) => nodes
        .SelectMany(node => node.Processes)
        .GroupBy(process => process.Id)
        .Select(same => same.MinBy(process => process.Doubt)!);

    static string Json(List<RunningServer> servers)
    {
        var objects = servers.Select(server => Object(server.Json, ("id", server.Id), ("kind", server.Kind), ("name", server.Id), ("node", server.Kind == "node" ? server.Id : ""), ("state", server.State)))
            .Concat(ProcessesOf(servers).Select(process => process.Json.GetRawText()));
        return $"[{string.Join(",\n ", objects)}]\n";
    }

    /// <summary>The members that all have come first.</summary>
    static string Object(JsonElement? known, params (string Name, string Value)[] first)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in first)
                json.WriteString(name, value);
            if (known is null)
                json.WriteNumber("pid", 0);
            foreach (var member in known?.EnumerateObject().Where(member => member.Name != "processes" && !first.Any(one => one.Name == member.Name)) ?? [])
                member.WriteTo(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    static string Table(List<RunningServer> servers)
    {
        var table = new TextTable(("ID", -23), ("KIND", -6), ("STATE", -9), ("PID", 5), ("AGE", 9), ("REQUESTS", 8), ("MEMORY", 6), ("ADDRESS OR FUNCTION", -1));
        var now = TimeProvider.System.GetUtcNow();
        var processes = ProcessesOf(servers).ToLookup(process => process.Node);
        foreach (var server in servers)
        {
            Add(server.Id, server.Kind, server.State, server.Pid, server.Started, null, null, server.Kind is "server" or "node" ? server.Addresses : "");
            foreach (var worker in server.Workers)
                Add("  " + worker.Id, worker.Kind, worker.State, worker.Pid, worker.Started, worker.Requests, worker.Memory, worker.Address);
            foreach (var process in server.Kind == "node" ? processes[server.Id] : [])
                Add("  " + process.Id, process.Kind, process.State, process.Pid, null, null, null, process.Name);
        }

        return table.ToString();

        void Add(string id, string kind, string state, int pid, DateTimeOffset? started, long? requests, long? memory, string address) =>
            table.Add(id, kind, state, pid > 0 ? Number(pid) : "", started is { } since ? Duration.Format(now - since) : "", Number(requests), memory is { } bytes ? ByteSize.Format(bytes) : "", address);

        static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
    }
}
