using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// In the warm workers of a pool. Each has one task for its whole life, <see cref="HandlerWorker.ServeAsync"/>, and a
/// <see cref="HandlerLink"/> over which it gets its connections; the pool starts another worker when one is lost.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class WorkerHandlers : HandlerHost
{
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _stopping = new();
    readonly List<HandlerLink> _links = [];
    readonly string _secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
    readonly Socket _listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
    readonly ServiceLoop _loop;
    readonly Service _service;
    readonly ILogger _logger;
    readonly Action _hasRoom;
    readonly WorkerPool _pool;
    readonly List<Task> _tasks = [];
    ulong _token;
    bool _isClosed;

    WorkerHandlers(ServiceLoop loop, Service service, WorkerPool pool, ILogger logger, Action hasRoom) =>
        (_loop, _service, _pool, _logger, _hasRoom) = (loop, service, pool, logger, hasRoom);

    /// <param name="hasRoom">Called on the loop's thread when a worker has come.</param>
    /// <exception cref="PlaceException">A worker could not be started.</exception>
    public static async Task<WorkerHandlers> StartAsync(
        ServiceLoop loop, Service service, EndPoint local, ILogger logger, Action hasRoom, CancellationToken cancellation)
    {
        var pool = await WorkerPool.StartAsync(service.Place, new() { Workers = service.Workers, MemoryLimit = service.Limits.Memory, Logger = logger }, cancellation).ConfigureAwait(false);
        var handlers = new WorkerHandlers(loop, service, pool, logger, hasRoom);
        var name = $"skein-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(16)}";
        handlers._listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        handlers._listener.Listen();
        await loop.InvokeAsync(() => handlers._token = loop.Watch((int)handlers._listener.Handle, handlers.Accept)).ConfigureAwait(false);
        var assignment = new HandlerAssignment(service.Function!, name, handlers._secret, local is UnixDomainSocketEndPoint ? local.ToString()! : $"{local}", service.Limits.IdleTimeout, service.Limits.WallTime);
        for (var i = 0; i < service.Workers; i++)
            handlers._tasks.Add(handlers.KeepAsync(assignment));
        return handlers;
    }

    public override Task Ready => _ready.Task;

    public override bool HasRoom => Freest() is not null;

    public override HandlerInstance? TryServe(int connection, Source source, Action<HandlerInstance> ended)
    {
        while (Freest() is { } link)
        {
            if (link.TryServe(connection, source, ended) is { } instance)
            {
                _ = Libc.Close(connection);   // the message has it
                return instance;
            }

            Lost(link);
        }

        return null;
    }

    public override async Task StopAsync(TimeSpan grace)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.InvokeAsync(Close).ConfigureAwait(false);
        await Task.WhenAny(_drained.Task, Task.Delay(grace, TimeProvider.System)).ConfigureAwait(false);
        await _loop.InvokeAsync(() =>
        {
            foreach (var link in _links.ToArray())
                Lost(link);
        }).ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_tasks).ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>One worker's task, and the next worker's when that was lost.</summary>
    async Task KeepAsync(HandlerAssignment assignment)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _pool.RunAsync(HandlerWorker.ServeAsync, assignment).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception error)
            {
                if (error is CannotTravelException || !_ready.Task.IsCompleted)
                {
                    _ready.TrySetException(error);
                    return;
                }

                if (!_stopping.IsCancellationRequested)
                    _logger.WorkerLost(_service.Name, 0, error.Message);
            }
        }
    }

    void Accept()
    {
        using var socket = _listener.Accept();
        using var first = new DescriptorSocket(Descriptor.Duplicate((int)socket.Handle));
        var (process, user) = PeerCredentials.Of(first.Descriptor);
        if (user != PeerCredentials.Own)
            return;   // a stranger: the name is no secret
        socket.ReceiveTimeout = 1000;
        Span<byte> message = stackalloc byte[256];
        var length = socket.Receive(message);
        if (!CryptographicOperations.FixedTimeEquals(message[..length], Encoding.ASCII.GetBytes(_secret)))
            return;
        var link = new HandlerLink(new(Descriptor.Duplicate(first.Descriptor)), process);
        _links.Add(link);
        link.Token = _loop.Watch(link.Descriptor, () => Receive(link));
        if (_links.Count >= _service.Workers)
            _ready.TrySetResult();
        _hasRoom();
    }

    void Receive(HandlerLink link)
    {
        if (!link.Receive())
            Lost(link);
        Drain();
    }

    void Lost(HandlerLink link)
    {
        if (!_links.Remove(link))
            return;
        _loop.Unwatch(link.Descriptor, link.Token);
        if (link.Count > 0)
            _logger.WorkerLost(_service.Name, link.Count, "Its clients see their connections end, others go on.");
        link.Close();
        Drain();
    }

    void Close()
    {
        _isClosed = true;
        _loop.Unwatch((int)_listener.Handle, _token);
        _listener.Dispose();
        Drain();
    }

    void Drain()
    {
        if (_isClosed && _links.TrueForAll(static link => link.Count == 0))
            _drained.TrySetResult();
    }

    HandlerLink? Freest()
    {
        HandlerLink? freest = null;
        foreach (var link in _links)
        {
            if (link.Count < _service.ConnectionsPerWorker && (freest is null || link.Count < freest.Count))
                freest = link;
        }

        return freest;
    }
}
