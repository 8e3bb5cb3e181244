using System.Net;
using System.Net.Sockets;

namespace Skein;

/// <summary>
/// A node that others can reach, each an operating-system process of its own. All nodes of one folder are connected with each other, as long as
/// they live, and those of other machines that know the address of one of the two; one that starts later, or again, is found.
/// <code>
/// await using var cluster = await ClusterNode.StartAsync("a");
/// var process = cluster.Node.Start(() => Survey(["b", "c"]));
/// </code>
/// They are one application, or take its code from each other (<see cref="ClusterOptions.Code"/>): an image is of one build.
/// </summary>
public sealed class ClusterNode : IAsyncDisposable
{
    readonly IDisposable _claim;
    readonly Connections _connections;
    readonly LocalPeers _local;
    readonly RemotePeers? _remote;
    readonly ServeLog _log;
    readonly NodePrograms _programs;
    readonly ConsoleLines.Listening? _console;
    readonly TaskCompletionSource<bool> _endAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ControlSocket? _control;
    bool _isEndHeard;
    readonly CancellationTokenSource _closing = new();
    readonly Lock _gate = new();
    Task _working = Task.CompletedTask;
    Task? _ending;

    ClusterNode(MobileNode node, ClusterOptions options, NodeFolder folder, IDisposable claim)
    {
        (Node, _claim) = (node, claim);
        _connections = new(node.Peers);
        _local = new(node, folder, _connections);
        _remote = options.Identity is { } identity ? new(options, identity, _connections) : null;
        _log = new(node.Time, node.Name);
        _programs = new(_log);
        _console = options.KeepOutput ? ConsoleLines.Listen(_log, node) : null;
        node.Ended = TellEnd;
    }

    /// <summary>What runs the processes.</summary>
    public MobileNode Node { get; }

    /// <summary>Where nodes of other machines reach it, with the port that it got; null: nowhere.</summary>
    public IPEndPoint? Listening => _remote?.Listening;

    /// <summary>Bytes that have left this node for others, since it was started: processes, letters, code, and what their protocol needs. Without TLS's own.</summary>
    public long SentBytes => _connections.SentBytes;

    /// <summary>
    /// Completes when an operator has asked the node to end (<c>skein kill</c>), with true where that is to be at once, else after a drain. Who never looks at it
    /// is not asked.
    /// </summary>
    public Task<bool> EndAsked
    {
        get
        {
            _isEndHeard = true;
            return _endAsked.Task;
        }
    }

    /// <summary>It has left the others.</summary>
    internal Task Ended => _ended.Task;

    /// <summary>Starts a node, and returns when it is connected with those of its folder that answer within 5 s.</summary>
    /// <param name="name">What <c>Here.MoveTo</c> calls it.</param>
    /// <exception cref="ArgumentException">The name is no name of a file, or not that of the identity; or an address is given and no identity.</exception>
    /// <exception cref="IOException">There is such a node, or the folder or the address cannot be used.</exception>
    public static async Task<ClusterNode> StartAsync(string name, ClusterOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        Check(name, options);
        var folder = new NodeFolder(options.Folder);
        var claim = await folder.ClaimAsync(name, cancellation).ConfigureAwait(false);
        ClusterNode? cluster = null;
        try
        {
            var node = new MobileNode(name, store: options.Store)
            {
                AnswerLimit = options.AnswerLimit,
                Code = options.Code,
                Kept = options.CodeFolder is { } kept ? new(kept) : null,
            };
            cluster = new(node, options, folder, claim);
            if (options.Store is not null)
                await node.RestoreAsync(cancellation).ConfigureAwait(false);
            cluster._control = ControlSocket.Open(folder.ControlOf(name));
            cluster._control.Answer = new NodeControl(cluster, cluster._log, cluster._programs, options.Authority).AnswerAsync;
            cluster._local.Listen();
            cluster._remote?.Listen();
            cluster._working = Task.WhenAll(cluster._local.RunAsync(cluster._closing.Token), cluster._remote?.RunAsync(cluster._closing.Token) ?? Task.CompletedTask);
            foreach (var silent in await cluster._local.ConnectAsync(cancellation).ConfigureAwait(false))
                cluster._log.Add(name, LogSeverity.Warning, $"node {silent} does not answer: it was stopped, or is of another version. This one is connected with it when it does.");
            return cluster;
        }
        catch (Exception e)
        {
            if (cluster is null)
                claim.Dispose();
            else
                await cluster.DisposeAsync().ConfigureAwait(false);
            if (e is ServeException)
                throw new IOException(e.Message, e);
            if (e is SocketException)
                throw new IOException($"Node {name} cannot listen at {folder.SocketOf(name)}{(options.Listen is null ? "" : $" and {options.Listen}")}: {e.Message}", e);
            throw;
        }
    }

    /// <summary>
    /// Moves all that runs here to the nodes that are connected, in turn. From then on this one takes nothing: to be done before the end of a node that is to lose
    /// nothing.
    /// </summary>
    /// <param name="within">How long each process may take; by default 10 s.</param>
    /// <returns>The ids of those that stay, and why.</returns>
    public async Task<IReadOnlyDictionary<string, string>> DrainAsync(TimeSpan? within = null, CancellationToken cancellation = default)
    {
        var staying = await new Drain(Node, _programs, within ?? TimeSpan.FromSeconds(10), cancellation).RunAsync().ConfigureAwait(false);
        foreach (var (id, why) in staying)
            _log.Add(Node.Name, LogSeverity.Warning, $"process {id} has to stay: {why}");
        return staying;
    }

    /// <summary>It leaves the others, and what runs at it ends with it: move it away before.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            return new(_ending ??= EndAsync());
    }

    async Task EndAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        _local.Dispose();
        _remote?.Dispose();
        await _connections.DisposeAsync().ConfigureAwait(false);
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _connections.DisposeAsync().ConfigureAwait(false);   // those that were made meanwhile
        await _programs.EndAsync().ConfigureAwait(false);
        _ended.TrySetResult();
        if (_control is not null)
            await _control.DisposeAsync().ConfigureAwait(false);
        _console?.Dispose();
        _claim.Dispose();   // from here on the others know that it has ended
    }

    /// <summary>What was printed until now is in the log.</summary>
    internal void TakeUnendedLines() => _console?.TakeUnended();

    /// <summary>What an operator wants; completes when it has ended.</summary>
    internal Task AskToEndAsync(bool isAtOnce)
    {
        if (!_isEndHeard)
            throw new ServeException($"Node {Node.Name} is part of a program: end that (process {Environment.ProcessId}).");
        _endAsked.TrySetResult(isAtOnce);
        return _ended.Task;
    }

    /// <summary>Of some nobody else hears, and who attaches does not wait for another.</summary>
    void TellEnd(string id, MobileOutcome outcome)
    {
        var (ending, text) = outcome.Error switch
        {
            null => (ProcessEnding.Returned, outcome.Value is { } result and not ValueTuple && InWords(() => ValueText.Of(result)) is { } said ? $"has ended: {said}" : "has ended."),
            ProcessKilledException => (ProcessEnding.Killed, "was killed."),
            NodeLostException lost => (ProcessEnding.Lost, $"is lost: {lost.Message}"),
            var error => (ProcessEnding.Failed, $"has failed: {InWords(error.ToString) ?? error.GetType().FullName}"),
        };
        var isError = ending is ProcessEnding.Failed or ProcessEnding.Lost;
        _log.Add(id, isError ? LogSeverity.Error : LogSeverity.Debug, text, isError, ending);
    }

    /// <summary>Null where it cannot be: what runs for it is the application's, and others may change what the process shares with them.</summary>
    static string? InWords(Func<string> words)
    {
        try
        {
            return words();
        }
        catch (Exception)
        {
            return null;
        }
    }

    static void Check(string name, ClusterOptions options)
    {
        NodeFolder.CheckName(name, options.Folder ?? NodesRoot.Folder);
        if (options.Identity is null && (options.Listen is not null || options.Peers.Count > 0 || options.Authority is not null))
            throw new ArgumentException("Between machines nodes know each other by certificates: give the options an Identity.", nameof(options));
        if (options.Identity is { } identity && identity.Name != name)
            throw new ArgumentException($"The identity is that of node {identity.Name}, not of {name}.", nameof(options));
    }
}
