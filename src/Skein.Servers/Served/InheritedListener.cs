using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Accepts connections on a socket that all workers share and that stays open when this one stops: no connection in its queue is lost. It
/// closes its own descriptor at once when it accepts no more: that of the whole server is closed when nobody has one.
/// It begins when the master says so, so a version that fails to start never answers a request.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class InheritedListener : IConnectionListener
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    readonly ServedApplication _served;
    readonly ILogger _logger;
    readonly Socket _socket;
    readonly SocketConnectionContextFactory _connections;
    readonly CancellationTokenSource _unbound;

    /// <summary>The descriptor of the newest connection.</summary>
    int _latest;

    public InheritedListener(ServedApplication served, EndPoint endPoint, int descriptor, ILogger logger)
    {
        _served = served;
        _logger = logger;
        EndPoint = endPoint;
        _socket = new(new SafeSocketHandle(descriptor, ownsHandle: true));
        _connections = new(new SocketConnectionFactoryOptions(), logger);
        _unbound = CancellationTokenSource.CreateLinkedTokenSource(served.Closed);
        _ = Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);   // starts the thread that timers need: without descriptors none can be started, and no pause be made
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                await _served.Opened.WaitAsync(_unbound.Token).ConfigureAwait(false);
                // The runtime needs the last descriptors for threads, and aborts without: who comes now waits in the kernel's queue.
                if (!Descriptor.IsLeft(_latest, (int)_socket.Handle))
                    throw new SocketException((int)SocketError.TooManyOpenSockets);
                return Connect(await _socket.AcceptAsync(_unbound.Token).ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                _socket.Dispose();
                return null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException error) when (error.SocketErrorCode is not (SocketError.ConnectionReset or SocketError.ConnectionAborted))
            {
                // No descriptors or no memory: what waits in the queue is accepted when there are some again.
                _logger.NotAccepted(error.Message, Pause);
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // That client has left already.
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => new(_unbound.CancelAsync());

    public ValueTask DisposeAsync()
    {
        _unbound.Cancel();
        _socket.Dispose();
        _connections.Dispose();
        _unbound.Dispose();
        return default;
    }

    ConnectionContext Connect(Socket socket)
    {
        _latest = (int)socket.Handle;
        if (socket.LocalEndPoint is IPEndPoint)
            socket.NoDelay = true;
        var connection = _connections.Create(socket);
        _served.Requests.ConnectionBegins();
        _served.Connections[connection] = true;
        connection.ConnectionClosed.UnsafeRegister(
            _ =>
            {
                _served.Connections.TryRemove(connection, out bool _);
                _served.Requests.ConnectionEnds();
            },
            null);
        return connection;
    }
}
