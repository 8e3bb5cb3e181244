using System.Net.Sockets;

namespace Skein.Cli;

/// <summary>What runs, found by the control sockets of this user: servers with their workers, nodes with their processes.</summary>
static class RunningServers
{
    /// <summary>One that stands still (SIGSTOP, a machine that swaps) keeps nobody longer.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The id of none: who asks for it hears of the node alone.</summary>
    const string NoProcess = "";

    /// <summary>All that answer. What was killed has left its socket, and does not.</summary>
    public static Task<List<RunningServer>> AllAsync() => AskAllAsync([.. RunFolder.Servers(), .. RunFolder.Nodes()]);

    public static Task<List<RunningServer>> ServersAsync() => AskAllAsync(RunFolder.Servers());

    /// <summary>The id that is meant: what was given, else the only server there is.</summary>
    public static async Task<string> ChooseAsync(string? id)
    {
        if (id is not null)
            return id;
        var all = await ServersAsync().ConfigureAwait(false);
        return all switch
        {
            [var only] => only.Id,
            [] => throw new CommandFailure(ExitCode.Unavailable, "no server runs."),
            _ => throw CommandFailure.Usage($"say which: {string.Join(", ", all.Select(server => server.Id))}."),
        };
    }

    /// <summary>The control socket of the node that is meant: of what was given, else of the only one that runs. It answers.</summary>
    public static async Task<string> ChooseNodeAsync(string? name) => name is not null ? (await AskAsync(RunFolder.OfNode(name), NoProcess).ConfigureAwait(false)).Socket : await NodesAsync().ConfigureAwait(false) switch
    {
        [var only] => only.Socket,
        [] => throw new CommandFailure(ExitCode.Unavailable, "no node runs; skein node start --name NAME starts one."),
        var all => throw CommandFailure.Usage($"say which node: {string.Join(", ", all.Select(node => node.Id))}."),
    };

    /// <summary>The nodes.</summary>
    public static Task<List<RunningServer>> NodesAsync() => AskAllAsync(RunFolder.Nodes());

    /// <summary>A server, or the server of a worker with the worker, or the node where a process is with that.</summary>
    public static async Task<Found> FindAsync(string? id)
    {
        id = await ChooseAsync(id).ConfigureAwait(false);
        if (File.Exists(RunFolder.SocketOf(id)))
            return new(await AskAsync(RunFolder.SocketOf(id)).ConfigureAwait(false));
        for (var dot = id.LastIndexOf('.'); dot > 0; dot = id.LastIndexOf('.', dot - 1))
        {
            if (!File.Exists(RunFolder.OfServer(id[..dot])))
                continue;   // names of services have dots, too
            var server = await AskAsync(RunFolder.OfServer(id[..dot])).ConfigureAwait(false);
            return new(server, server.Workers.FirstOrDefault(worker => worker.Id == id) ?? throw new CommandFailure(ExitCode.Unavailable, $"{server.Id} has no {server.WorkerKind} {id} any more. skein ps lists those it has."));
        }
        return await FindProcessAsync(id).ConfigureAwait(false);
    }

    /// <summary>The node where a process is; else one that knows where it went: nodes are asked one after the other, and it may pass them by.</summary>
    public static async Task<Found> FindProcessAsync(string id)
    {
        var nodes = await AskAllAsync(RunFolder.Nodes(), id).ConfigureAwait(false);
        return nodes.SelectMany(static node => node.Processes, static (node, process) => new Found(node, Process: process)).MinBy(static found => found.Process!.Doubt)
            ?? throw (nodes.Find(static node => node.IsSilent) is { } silent
                ? new CommandFailure(ExitCode.Temporary, $"node {silent.Id} does not answer, and {id} may be there.")
                : new CommandFailure(ExitCode.Unavailable, $"nothing that is called '{id}' runs ({RunFolder.SocketOf(id)}). skein ps lists what does."));
    }

    static async Task<List<RunningServer>> AskAllAsync(IReadOnlyList<string> sockets, string? process = null)
    {
        var asked = await Task.WhenAll(sockets.Select(socket => TryAskAsync(socket, process))).ConfigureAwait(false);
        return [.. asked.OfType<RunningServer>()];
    }

    /// <summary>Null where it has been killed, or ends just now.</summary>
    static async Task<RunningServer?> TryAskAsync(string socket, string? process)
    {
        try
        {
            return await AskAsync(socket, process).ConfigureAwait(false);
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCode.Temporary)
        {
            return RunningServer.Silent(socket);
        }
        catch (Exception error) when (error is CommandFailure or IOException or SocketException)
        {
            return null;
        }
    }

    /// <param name="socket">Whom to ask.</param>
    /// <param name="process">What of a node is to be told; null: all.</param>
    static async Task<RunningServer> AskAsync(string socket, string? process = null)
    {
        RunningServer? server = null;
        await ControlClient.AskAsync(socket, process is null ? ["ps"] : ["ps", process], data: json => server = RunningServer.Read(socket, json), limit: Patience).ConfigureAwait(false);
        return server ?? throw new CommandFailure(ExitCode.Unavailable, $"{Path.GetFileNameWithoutExtension(socket)} did not say what it is.");
    }
}

/// <summary>What an id names: a server or node; a worker of it; a process at it.</summary>
sealed record Found(RunningServer Server, RunningWorker? Worker = null, RunningProcess? Process = null);
