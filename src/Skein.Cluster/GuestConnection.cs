using System.Buffers;
using System.Globalization;
using System.Net.Sockets;

namespace Skein;

/// <summary>A program that has something started at a node, and is no node itself: its connection with that one. The node asks it for code.</summary>
sealed class GuestConnection : IAsyncDisposable
{
    /// <summary>A node that stands still (SIGSTOP, a machine that swaps) keeps nobody longer.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    static int _count;

    readonly string _node;
    readonly MobileNode _guest;
    readonly Connections _connections;
    readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    GuestConnection(string node)
    {
        _node = node;
        _guest = new(string.Create(CultureInfo.InvariantCulture, $"guest/{Environment.ProcessId}.{Interlocked.Increment(ref _count)}")) { Reached = _ => _reached.TrySetResult() };
        _connections = new(_guest.Peers);
    }

    /// <summary>The name of the node.</summary>
    public string Node => _node;

    /// <exception cref="PlaceException">The node does not run, or does not answer, or not this user.</exception>
    public static async Task<GuestConnection> OpenAsync(NodeFolder folder, string node, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.SocketOf(node)), cancellation).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new PlaceException(e.SocketErrorCode == SocketError.AccessDenied
                ? $"Node {node} is another user's ({folder.SocketOf(node)})."
                : $"No node named {node} runs ({folder.SocketOf(node)}). skein node start --name {node} starts one.", e);
        }
        var guest = new GuestConnection(node);
        var running = guest._connections.RunAsync(new NetworkStream(socket, ownsSocket: true), isOurs: true);
        try
        {
            if (await Task.WhenAny(guest._reached.Task, running).WaitAsync(Patience, TimeProvider.System, cancellation).ConfigureAwait(false) == running)
                throw new PlaceException($"Node {node} does not speak with this program: it speaks with its own user's, of its own version of Skein.");
            return guest;
        }
        catch (TimeoutException e)
        {
            await guest.DisposeAsync().ConfigureAwait(false);
            throw new PlaceException($"Node {node} has not answered for {Patience.TotalSeconds} s: is it stopped, or the machine too busy?", e);
        }
        catch
        {
            await guest.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where that fails the connection is closed, and what is started nevertheless is ended.</summary>
    /// <exception cref="PlaceException">The node does not take it.</exception>
    public async Task<StartedProcess> StartAsync(MobileStart start, bool isHeard, CancellationToken cancellation)
    {
        Task<StartedProcess>? starting = null;
        try
        {
            var bytes = new ArrayBufferWriter<byte>();
            GraphCodec.Encode(start, bytes);
            starting = _guest.AskAsync(_node, new StartRequest(_guest.Name, bytes.WrittenSpan.ToArray(), isHeard));
            return await starting.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _ = LeaveAsync(starting);
            if (e is NodeNotConnectedException)
                throw new PlaceException($"Node {_node} has ended before it said whether it has started it. skein ps shows what runs.", e);
            if (e is CannotMoveException or ModuleVersionException or IOException)
                throw new PlaceException($"Node {_node} has not started it: {e.Message}", e);
            throw;
        }
    }

    async Task LeaveAsync(Task<StartedProcess>? starting)
    {
        try
        {
            if (starting is not null)
                await EndAsync((await starting.ConfigureAwait(false)).Id, isForced: true).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It was not started.
        }
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>How a process has ended, when it has.</summary>
    /// <exception cref="NodeNotConnectedException">The node has ended.</exception>
    public async Task<MobileOutcome> OutcomeAsync(string process) =>
        _guest.ReadOutcome(await _guest.AskAsync(_node, new OutcomeRequest(process)).ConfigureAwait(false));

    public async Task EndAsync(string process, bool isForced)
    {
        try
        {
            await _guest.AskAsync(_node, new EndRequest(process, isForced)).ConfigureAwait(false);
        }
        catch (NodeNotConnectedException)
        {
            // It has ended with its node.
        }
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
