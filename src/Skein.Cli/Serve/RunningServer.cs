using System.Text.Json;

namespace Skein.Cli;

/// <summary>A server or a node, as it has answered.</summary>
sealed record RunningServer(string Socket, string Id, string Kind, string State, int Pid, DateTimeOffset? Started, string Addresses, RunningWorker[] Workers, RunningProcess[] Processes, JsonElement? Json)
{
    /// <summary>It did not answer in time.</summary>
    public bool IsSilent => Json is null;

    public string WorkerKind => Workers is [var first, ..] ? first.Kind : "worker";

    public static RunningServer Silent(string socket) =>
        new(socket, Path.GetFileNameWithoutExtension(socket), Path.GetDirectoryName(socket) == NodesRoot.Folder ? "node" : "server", "silent", 0, null, "", [], [], null);

    public static RunningServer Read(string socket, JsonElement json)
    {
        json = json.Clone();
        return new(
            socket,
            json.GetProperty("id").GetString()!,
            json.GetProperty("kind").GetString()!,
            json.GetProperty("state").GetString()!,
            json.GetProperty("pid").GetInt32(),
            json.GetProperty("started").GetDateTimeOffset(),
            string.Join(' ', json.GetProperty("addresses").EnumerateArray().Select(address => address.GetString())),
            All(json, "workers", RunningWorker.Read),
            All(json, "processes", RunningProcess.Read),
            json);
    }

    static T[] All<T>(JsonElement json, string name, Func<JsonElement, T> read) =>
        json.TryGetProperty(name, out var all) ? [.. all.EnumerateArray().Select(read)] : [];
}

/// <summary>What runs at a node: a mobile process, or a program.</summary>
sealed record RunningProcess(string Id, string Kind, string Name, string Node, string State, int Pid, JsonElement Json)
{
    /// <summary>How little the node knows that says so: a process that is on its way is known to two.</summary>
    public int Doubt => State switch { "elsewhere" => 2, "moving" => 1, _ => 0 };

    public static RunningProcess Read(JsonElement json) => new(
        json.GetProperty("id").GetString()!,
        json.GetProperty("kind").GetString()!,
        json.GetProperty("name").GetString()!,
        json.GetProperty("node").GetString()!,
        json.GetProperty("state").GetString()!,
        json.GetProperty("pid").GetInt32(),
        json);
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
