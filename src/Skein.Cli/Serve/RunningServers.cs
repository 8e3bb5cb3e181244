using System.Net.Sockets;

namespace Skein.Cli;

/// <summary>What runs, found by the control sockets of this user: servers with their workers, nodes with their processes.</summary>
static class RunningServers
{
    /// <summary>One that stands still (SIGSTOP, a machine that swaps) keeps nobody longer.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The id that is meant: what was given, else the only server there is.</summary>
    public static async Task<string> ChooseAsync(string? id)
    {
        if (id is not null)
            return id;
        var all = await AskAllAsync(RunFolder.Servers()).ConfigureAwait(false);
        return all switch
        {
            [var only] => only.Id,
            [] => throw new CommandFailure(ExitCode.Unavailable, "no server runs."),
            _ => throw CommandFailure.Usage($"say which: {string.Join(", ", all.Select(server => server.Id))}."),
        };
    }

    /// <summary>The control socket of the node that is meant: of what was given, else of the only one that runs.</summary>
    public static async Task<string> ChooseNodeAsync(string? name) => name is not null ? RunFolder.OfNode(name) : await AskAllAsync(RunFolder.Nodes()).ConfigureAwait(false) switch
    {
        [var only] => only.Socket,
        [] => throw new CommandFailure(ExitCode.Unavailable, "no node runs; skein node start --name NAME starts one."),
        var all => throw CommandFailure.Usage($"say which node: {string.Join(", ", all.Select(node => node.Id))}."),
    };

    /// <summary>All that answer. What was killed has left its socket, and does not.</summary>
    public static Task<List<RunningServer>> AllAsync() => AskAllAsync([.. RunFolder.Servers(), .. RunFolder.Nodes()]);

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

    /// <summary>The node where a process is; one that is on its way is where it was.</summary>
    public static async Task<Found> FindProcessAsync(string id)
    {
        var nodes = await AskAllAsync(RunFolder.Nodes()).ConfigureAwait(false);
        var found = nodes.SelectMany(node => node.Processes, (node, process) => new Found(node, Process: process)).Where(found => found.Process!.Id == id).ToList();
        if ((found.Find(one => !one.Process!.IsMoving) ?? found.FirstOrDefault()) is { } best)
            return best;
        throw nodes.Find(node => node.IsSilent) is { } silent
            ? new CommandFailure(ExitCode.Temporary, $"node {silent.Id} does not answer, and {id} may be there.")
            : new CommandFailure(ExitCode.Unavailable, $"nothing that is called '{id}' runs ({RunFolder.SocketOf(id)}). skein ps lists what does.");
    }

    static async Task<List<RunningServer>> AskAllAsync(IReadOnlyList<string> sockets)
    {
        var asked = await Task.WhenAll(sockets.Select(TryAskAsync)).ConfigureAwait(false);
        return [.. asked.OfType<RunningServer>()];
    }

    /// <summary>Null where it has been killed, or ends just now.</summary>
    static async Task<RunningServer?> TryAskAsync(string socket)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await AskAsync(socket, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return RunningServer.Silent(socket);
        }
        catch (Exception error) when (error is CommandFailure or IOException or SocketException)
        {
            return null;
        }
    }

    static async Task<RunningServer> AskAsync(string socket, CancellationToken cancellation = default)
    {
        RunningServer? server = null;
        await ControlClient.AskAsync(socket, ["ps"], data: json => server = RunningServer.Read(socket, json), cancellation: cancellation).ConfigureAwait(false);
        return server ?? throw new CommandFailure(ExitCode.Unavailable, $"{Path.GetFileNameWithoutExtension(socket)} did not say what it is.");
    }
}

/// <summary>What an id names: a server or node; a worker of it; a process at it.</summary>
sealed record Found(RunningServer Server, RunningWorker? Worker = null, RunningProcess? Process = null);
