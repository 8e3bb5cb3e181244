using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>Carries out <c>skein node start</c>: is a node until it is asked to end; then what runs there is moved away.</summary>
static class NodeCommand
{
    public static async Task<int> RunAsync(NodeRequest request)
    {
        DetachedNode.BeginOwnSession();
        var asked = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var atOnce = new CancellationTokenSource();
        var signals = 0;
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask);
        RunFolder.MakeForNodes();
        var store = OpenStore(request.Store);
        var cluster = await StartAsync(request, store).ConfigureAwait(false);
        try
        {
            DetachedNode.SayReady(request.Name);
            var first = await Task.WhenAny(asked.Task, cluster.EndAsked).ConfigureAwait(false);
            return await first.ConfigureAwait(false) ? 0 : await DrainAsync(cluster, atOnce.Token).ConfigureAwait(false);
        }
        finally
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            if (store is not null)
                await store.DisposeAsync().ConfigureAwait(false);
        }

        void Ask(PosixSignalContext context)
        {
            var signal = Interlocked.Increment(ref signals);
            context.Cancel = signal <= 2;
            asked.TrySetResult(false);
            if (signal == 2)
                atOnce.Cancel();
        }
    }

    static async Task<int> DrainAsync(ClusterNode cluster, CancellationToken atOnce)
    {
        try
        {
            var left = await cluster.DrainAsync(cancellation: atOnce).ConfigureAwait(false);
            foreach (var (process, why) in left)
                Messages.Error($"process {process} ends with this node: {why}");
            return left.Count == 0 ? 0 : ExitCode.Unavailable;
        }
        catch (OperationCanceledException)
        {
            Messages.Error($"{cluster.Node.Count} processes end with this node, which was not to wait for their moves.");
            return ExitCode.Unavailable;
        }
    }

    static MobileStore? OpenStore(string? file)
    {
        if (file is null)
            return null;
        if (Directory.Exists(file))
            throw new CommandFailure(ExitCode.Unavailable, $"--store {file}: that is a folder. Give a file in it.");
        if (Native.IsSpecial(file))
            throw new CommandFailure(ExitCode.Unavailable, $"--store {file}: that is no ordinary file, and keeps nothing. Give the name of a file, which is made if need be.");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new CommandFailure(ExitCode.Unavailable, $"--store {file}: there is no folder {folder}.");
        try
        {
            return Path.GetExtension(file) is ".db" or ".sqlite" ? SqliteStore.Open(file) : FileStore.Open(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.Message);
        }
    }

    static async Task<ClusterNode> StartAsync(NodeRequest request, MobileStore? store)
    {
        try
        {
            var (identity, authority, peers) = await NodeIdentity.TakeAsync(request).ConfigureAwait(false);
            return await ClusterNode.StartAsync(request.Name, new()
            {
                Code = Policy(request.Code),
                CodeFolder = DataFolder.Of("code"),
                KeepOutput = true,
                Store = store,
                Listen = request.Listen,
                Identity = identity,
                Authority = authority,
                Peers = peers,
            }).ConfigureAwait(false);
        }
        catch (ArgumentException error)
        {
            throw CommandFailure.Usage(Messages.Of(error));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ModuleVersionException)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.Message);
        }
    }

    static CodePolicy Policy(string whose) => whose switch
    {
        "own" => CodePolicy.OwnUser,
        "any" => CodePolicy.AnyPeer,
        "none" => CodePolicy.Listed(),
        _ when whose.Split(',') is var hashes && Array.TrueForAll(hashes, static hash => hash.Length == 64 && hash.All(char.IsAsciiHexDigit)) => CodePolicy.Listed(hashes),
        _ => throw CommandFailure.Usage("--code takes own, any, none, or SHA-256 in hexadecimal with commas between."),
    };
}
