using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Skein;

/// <summary>
/// A node that others on this machine can reach, each an operating-system process of its own. All nodes of one folder are connected with each other, as long as
/// they live; one that starts later, or again, is found.
/// <code>
/// await using var cluster = await ClusterNode.StartAsync("a");
/// var process = cluster.Node.Start(() => Survey(["b", "c"]));
/// </code>
/// They are one application: an image is of one build.
/// </summary>
public sealed partial class ClusterNode : IAsyncDisposable
{
    /// <summary>So often it looks who else is there. A look costs the reading of a small folder.</summary>
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    readonly NodeFolder _folder;
    readonly IDisposable _claim;
    readonly Socket _socket;
    readonly CancellationTokenSource _closing = new();
    readonly ConcurrentDictionary<Stream, Task> _connections = new();
    readonly HashSet<string> _dialled = [];
    Task _working = Task.CompletedTask;

    ClusterNode(MobileNode node, NodeFolder folder, IDisposable claim, Socket socket) =>
        (Node, _folder, _claim, _socket) = (node, folder, claim, socket);

    /// <summary>What runs the processes.</summary>
    public MobileNode Node { get; }

    /// <summary>Starts a node, and returns when it is connected with those that are there.</summary>
    /// <param name="name">What <c>Here.MoveTo</c> calls it.</param>
    /// <exception cref="ArgumentException">The name is no name of a file.</exception>
    /// <exception cref="IOException">There is such a node, or the folder cannot be used.</exception>
    public static async Task<ClusterNode> StartAsync(string name, ClusterOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.IndexOfAny(Path.GetInvalidFileNameChars()) >= 0 || name is "." or "..")
            throw new ArgumentException($"A node cannot be named '{name}': its socket is a file of this name.", nameof(name));
        options ??= new();
        var folder = new NodeFolder(options.Folder);
        var claim = await folder.ClaimAsync(name, cancellation).ConfigureAwait(false);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var node = new MobileNode(name, store: options.Store) { AnswerLimit = options.AnswerLimit };
            if (options.Store is not null)
                await node.RestoreAsync(cancellation).ConfigureAwait(false);
            File.Delete(folder.SocketOf(name));
            socket.Bind(new UnixDomainSocketEndPoint(folder.SocketOf(name)));
            File.SetUnixFileMode(folder.SocketOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);   // nobody can connect before it listens
            socket.Listen(64);
            var cluster = new ClusterNode(node, folder, claim, socket);
            await cluster.BeginAsync(cancellation).ConfigureAwait(false);
            return cluster;
        }
        catch (Exception e)
        {
            socket.Dispose();
            claim.Dispose();
            if (e is SocketException)
                throw new IOException($"Node {name} cannot listen at {folder.SocketOf(name)}: {e.Message}", e);
            throw;
        }
    }

    /// <summary>It leaves the others, and what runs at it ends with it: move it away before.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync().ConfigureAwait(false);
        File.Delete(_folder.SocketOf(Node.Name));
        _socket.Dispose();
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var stream in _connections.Keys)
            await stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_connections.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _claim.Dispose();   // from here on the others know that it has ended
        _closing.Dispose();
    }

    async Task BeginAsync(CancellationToken cancellation)
    {
        var accepting = AcceptAsync();
        await LookAsync(cancellation).ConfigureAwait(false);
        _working = Task.WhenAll(accepting, KeepLookingAsync());
        while (_folder.Names.Any(other => other != Node.Name && Node.Peers.Find(other) is not { IsOpen: true } && _folder.IsAlive(other)))
            await Task.Delay(LookEvery / 10, TimeProvider.System, cancellation).ConfigureAwait(false);
    }

    async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var peer = await _socket.AcceptAsync(_closing.Token).ConfigureAwait(false);
                if (IsOurs(peer))
                    Serve(peer, isOurs: false);
                else
                    peer.Dispose();
            }
            catch (SocketException)
            {
                await Task.Delay(LookEvery, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);   // no descriptor is left: perhaps later
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    async Task KeepLookingAsync()
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (await timer.WaitForNextTickAsync(_closing.Token).ConfigureAwait(false))
            await LookAsync(_closing.Token).ConfigureAwait(false);
    }

    /// <summary>Asks those that it has no connection with, and takes note of those that have ended.</summary>
    async Task LookAsync(CancellationToken cancellation)
    {
        foreach (var peer in Node.Peers.All.Where(peer => !peer.IsOpen && !_folder.IsAlive(peer.Name)))
            Node.Peers.End(peer);
        foreach (var name in _folder.Names.Where(name => name != Node.Name && Node.Peers.Find(name) is not { IsOpen: true }))
        {
            // The one whose name comes first asks; the other only when it is new here, since the first may not have looked yet.
            if (!_dialled.Add(name) && string.CompareOrdinal(Node.Name, name) > 0)
                continue;
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder.SocketOf(name)), cancellation).ConfigureAwait(false);
                Serve(socket, isOurs: true);
            }
            catch (SocketException)
            {
                socket.Dispose();   // it has ended, or does not listen yet
            }
        }
    }

    void Serve(Socket socket, bool isOurs)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        var serving = StreamConnection.RunAsync(stream, Node.Peers, isOurs);
        _connections[stream] = serving;
        serving.ContinueWith(_ => _connections.TryRemove(stream, out var _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    // The modes of the folder and the socket say the same; a file system that ignores them does not.
    static bool IsOurs(Socket peer)
    {
        Span<byte> credentials = stackalloc byte[12];
        return peer.GetRawSocketOption(SocketLevel, PeerCredentialsOption, credentials) == 12
            && BitConverter.ToUInt32(credentials[4..8]) is var user && (user == 0 || user == UserId());
    }

    const int SocketLevel = 1, PeerCredentialsOption = 17;

    [LibraryImport("libc", EntryPoint = "geteuid")] private static partial uint UserId();
}
