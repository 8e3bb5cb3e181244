using System.Text.Json;

namespace Skein.Cli;

/// <summary>What runs, found by the control sockets of this user.</summary>
static class RunningServers
{
    /// <summary>The id that is meant: what was given, else the only one there is.</summary>
    public static async Task<string> ChooseAsync(string? id)
    {
        if (id is not null)
            return id;
        var all = await AllAsync().ConfigureAwait(false);
        return all switch
        {
            [var only] => only.Id,
            [] => throw new CommandFailure(ExitCode.Unavailable, "no server runs."),
            _ => throw CommandFailure.Usage($"say which: {string.Join(", ", all.Select(server => server.Id))}."),
        };
    }

    /// <summary>All that answer. What was killed has left its socket, and does not.</summary>
    public static async Task<List<RunningServer>> AllAsync()
    {
        var all = new List<RunningServer>();
        foreach (var id in RunFolder.Ids())
        {
            try
            {
                all.Add(await AskAsync(id).ConfigureAwait(false));
            }
            catch (CommandFailure)
            {
                // It has been killed, or ends just now.
            }
        }

        return all;
    }

    public static async Task<RunningServer> AskAsync(string id)
    {
        RunningServer? server = null;
        await ControlClient.AskAsync(RunFolder.SocketOf(id), ["ps"], data: json => server = RunningServer.Read(json)).ConfigureAwait(false);
        return server ?? throw new CommandFailure(ExitCode.Unavailable, $"{id} did not say what it is.");
    }

    /// <summary>A server, or the server of a worker with the worker.</summary>
    public static async Task<(RunningServer Server, RunningWorker? Worker)> FindAsync(string? id)
    {
        id = await ChooseAsync(id).ConfigureAwait(false);
        for (var dot = id.LastIndexOf('.'); dot > 0 && !File.Exists(RunFolder.SocketOf(id)); dot = id.LastIndexOf('.', dot - 1))
        {
            if (!File.Exists(RunFolder.SocketOf(id[..dot])))
                continue;   // names of services have dots, too
            var server = await AskAsync(id[..dot]).ConfigureAwait(false);
            return (server, server.Workers.FirstOrDefault(worker => worker.Id == id) ?? throw new CommandFailure(ExitCode.Unavailable, $"{server.Id} has no {server.WorkerKind} {id} any more. skein ps lists those it has."));
        }

        return (await AskAsync(id).ConfigureAwait(false), null);
    }
}

sealed record RunningServer(string Id, string Kind, string State, int Pid, DateTimeOffset Started, string Addresses, RunningWorker[] Workers, JsonElement Json)
{
    public string WorkerKind => Workers is [var first, ..] ? first.Kind : "worker";

    public static RunningServer Read(JsonElement json)
    {
        json = json.Clone();
        return new(
            json.GetProperty("id").GetString()!,
            json.GetProperty("kind").GetString()!,
            json.GetProperty("state").GetString()!,
            json.GetProperty("pid").GetInt32(),
            json.GetProperty("started").GetDateTimeOffset(),
            string.Join(' ', json.GetProperty("addresses").EnumerateArray().Select(address => address.GetString())),
            [.. json.GetProperty("workers").EnumerateArray().Select(RunningWorker.Read)],
            json);
    }
}

sealed record RunningWorker(string Id, string Kind, string State, int Pid, DateTimeOffset Started, long Requests, long Active, long Connections, long Microseconds, long Memory, double ProcessorSeconds, string Address, JsonElement Json)
{
    public static RunningWorker Read(JsonElement json) => new(
        json.GetProperty("id").GetString()!,
        json.GetProperty("kind").GetString()!,
        json.GetProperty("state").GetString()!,
        json.GetProperty("pid").GetInt32(),
        json.GetProperty("started").GetDateTimeOffset(),
        json.GetProperty("requests").GetInt64(),
        json.GetProperty("active").GetInt64(),
        json.GetProperty("connections").GetInt64(),
        json.GetProperty("microseconds").GetInt64(),
        json.GetProperty("memory").GetInt64(),
        json.GetProperty("processorSeconds").GetDouble(),
        json.TryGetProperty("address", out var address) ? address.GetString()! : "",
        json);
}
