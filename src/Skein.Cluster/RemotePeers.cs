using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Skein;

/// <summary>Nodes of other machines, over TLS 1.3 with certificates on both sides. A node without one may do nothing but join, by a token.</summary>
sealed class RemotePeers(ClusterOptions options, ClusterIdentity identity, Connections connections) : IDisposable
{
    /// <summary>A machine that is not there is asked again after so long; twice as long each time, up to the second.</summary>
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LastPause = TimeSpan.FromSeconds(5);

    /// <summary>For whoever connects to show who it is.</summary>
    static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(10);

    readonly Socket? _socket = options.Listen is { } listen ? new(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp) : null;

    public IPEndPoint? Listening => _socket?.LocalEndPoint as IPEndPoint;

    /// <exception cref="SocketException">It cannot listen there.</exception>
    public void Listen()
    {
        if (_socket is null)
            return;
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.Bind(options.Listen!);
        _socket.Listen(64);
    }

    /// <summary>Until it is cancelled.</summary>
    public Task RunAsync(CancellationToken closing) => Task.WhenAll([AcceptAsync(closing), .. options.Peers.Select(peer => KeepConnectedAsync(peer, closing))]);

    public void Dispose() => _socket?.Dispose();

    async Task AcceptAsync(CancellationToken closing)
    {
        while (_socket is not null && !closing.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _socket.AcceptAsync(closing).ConfigureAwait(false), closing);
            }
            catch (SocketException)
            {
                await Task.Delay(FirstPause, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);   // no descriptor is left: perhaps later
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    async Task ServeAsync(Socket socket, CancellationToken closing)
    {
        socket.NoDelay = true;
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(closing);
            limit.CancelAfter(HandshakeLimit);
            await stream.AuthenticateAsServerAsync(Trust.Server(identity, takesNewcomers: options.Authority is not null), limit.Token).ConfigureAwait(false);
            if (Trust.Check(stream.RemoteCertificate, identity.Authority) is { } name)
                await connections.RunAsync(stream, isOurs: false, name).ConfigureAwait(false);
            else
                await JoinRequest.AnswerAsync(stream, options.Authority!, IsMember, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfThePeer(e))
        {
            // Whoever it was is told by the end of the connection.
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Those of this machine have no certificates.</summary>
    bool IsMember(string name) => name == identity.Name || connections.Peers.Find(name) is not null;

    async Task KeepConnectedAsync(IPEndPoint peer, CancellationToken closing)
    {
        var pause = FirstPause;
        string? name = null;
        while (true)
        {
            if (name is null || connections.Peers.Find(name) is not { IsConnected: true })
                (name, pause) = await ConnectAsync(peer, closing).ConfigureAwait(false) is { } found ? (found, FirstPause) : (name, 2 * pause < LastPause ? 2 * pause : LastPause);
            await Task.Delay(pause, TimeProvider.System, closing).ConfigureAwait(false);
        }
    }

    /// <summary>Returns when the connection has ended: who it was; null where there was none.</summary>
    async Task<string?> ConnectAsync(IPEndPoint peer, CancellationToken closing)
    {
        Socket? socket = null;
        Stream stream = Stream.Null;
        try
        {
            socket = new(peer.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(closing);
            limit.CancelAfter(HandshakeLimit);
            await socket.ConnectAsync(peer, limit.Token).ConfigureAwait(false);
            var secured = new SslStream(new NetworkStream(socket, ownsSocket: true));
            stream = secured;
            await secured.AuthenticateAsClientAsync(Trust.Client(identity), limit.Token).ConfigureAwait(false);
            var name = Trust.Check(secured.RemoteCertificate, identity.Authority);
            await connections.RunAsync(stream, isOurs: true, name).ConfigureAwait(false);
            return name;
        }
        catch (Exception e) when (IsOfThePeer(e) && !closing.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            socket?.Dispose();
        }
    }

    static bool IsOfThePeer(Exception error) => error is IOException or SocketException or AuthenticationException or InvalidDataException or OperationCanceledException or ObjectDisposedException;
}
