using System.Net.Sockets;

namespace Skein;

/// <summary>The other nodes of this user on this machine: over Unix sockets, found by a folder.</summary>
sealed class LocalPeers(MobileNode node, NodeFolder folder, Connections connections) : IDisposable
{
    /// <summary>So often it looks who else is there. A look costs the reading of a small folder.</summary>
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>One that was stopped, or speaks another protocol, holds up no other for longer.</summary>
    static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly HashSet<string> _dialled = [];

    string Path => folder.SocketOf(node.Name);

    /// <exception cref="SocketException">It cannot listen there.</exception>
    public void Listen()
    {
        File.Delete(Path);
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);   // nobody can connect before it listens
        _socket.Listen(64);
    }

    /// <summary>Until it is cancelled.</summary>
    public Task RunAsync(CancellationToken closing) => Task.WhenAll(AcceptAsync(closing), KeepLookingAsync(closing));

    /// <summary>Until all are connected that live, or long enough for those that do.</summary>
    /// <returns>Those that have not answered.</returns>
    public async Task<string[]> ConnectAsync(CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetTimestamp();
        string[] missing;
        while ((missing = [.. folder.Names.Where(other => other != node.Name && node.Peers.Find(other) is not { IsOpen: true } && !folder.HasEnded(other))]).Length > 0
            && TimeProvider.System.GetElapsedTime(began) < ConnectLimit)
        {
            await Task.Delay(LookEvery / 10, TimeProvider.System, cancellation).ConfigureAwait(false);
        }

        return missing;
    }

    public void Dispose()
    {
        File.Delete(Path);
        _socket.Dispose();
    }

    async Task AcceptAsync(CancellationToken closing)
    {
        while (!closing.IsCancellationRequested)
        {
            try
            {
                var peer = await _socket.AcceptAsync(closing).ConfigureAwait(false);
                if (PeerCredentials.Of(peer).MayControl)
                    _ = connections.RunAsync(new NetworkStream(peer, ownsSocket: true), isOurs: false);
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

    async Task KeepLookingAsync(CancellationToken closing)
    {
        await LookAsync(closing).ConfigureAwait(false);
        using var timer = new PeriodicTimer(LookEvery);
        while (await timer.WaitForNextTickAsync(closing).ConfigureAwait(false))
            await LookAsync(closing).ConfigureAwait(false);
    }

    async Task LookAsync(CancellationToken cancellation)
    {
        try
        {
            await LookOnceAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            // No descriptor is left, or the folder is away: perhaps at the next look.
        }
    }

    /// <summary>Asks those that it has no connection with, and takes note of those that have ended.</summary>
    async Task LookOnceAsync(CancellationToken cancellation)
    {
        foreach (var peer in node.Peers.All.Where(peer => !peer.IsConnected && !peer.IsRemote && (peer.IsGuest || folder.HasEnded(peer.Name))))
            node.Peers.End(peer);
        foreach (var name in folder.Names.Where(name => name != node.Name && node.Peers.Find(name) is not { IsConnected: true }))
        {
            // The one whose name comes first asks; the other only when it is new here, since the first may not have looked yet.
            if (!_dialled.Add(name) && string.CompareOrdinal(node.Name, name) > 0)
                continue;
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.SocketOf(name)), cancellation).ConfigureAwait(false);
                _ = connections.RunAsync(new NetworkStream(socket, ownsSocket: true), isOurs: true);
            }
            catch (SocketException)
            {
                socket.Dispose();   // it has ended, or does not listen yet
            }
        }
    }
}
