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
    readonly CancellationTokenSource _stopping = new();
    readonly List<HandlerLink> _links = [];
    readonly Dictionary<DescriptorSocket, ulong> _newcomers = [];   // have connected, and not yet said that they may
    readonly string _secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
    readonly Socket _listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
    readonly Service _service;
    readonly ILogger _logger;
    readonly Action _hasRoom;
    readonly WorkerPool _pool;
    readonly List<Task> _tasks = [];
    ulong _token;

    WorkerHandlers(ServiceLoop loop, Service service, WorkerPool pool, ILogger logger, Action hasRoom)
        : base(loop) => (_service, _pool, _logger, _hasRoom) = (service, pool, logger, hasRoom);

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

    public override IEnumerable<int> ProcessIds => _links.Select(static link => link.ProcessId);

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

    /// <summary>The workers of these take the place of ours, and go on with their sessions. On the loop's thread, before they get connections.</summary>
    public void HandSessionsTo(WorkerHandlers others)
    {
        for (var i = 0; i < _links.Count && others._links.Count > 0; i++)
        {
            var (from, to) = Descriptor.Pipe();
            others._links[i % others._links.Count].PassSessions(HandlerLink.TakesSessions, from);
            _links[i].PassSessions(HandlerLink.GivesSessions, to);
            Descriptor.Close(ref from);
            Descriptor.Close(ref to);
        }
    }

    protected override bool IsIdle => _links.TrueForAll(static link => link.Count == 0);

    protected override void Close()
    {
        _stopping.Cancel();   // who is lost from now on is not replaced
        Loop.Unwatch((int)_listener.Handle, _token);
        _listener.Dispose();
        foreach (var newcomer in _newcomers.Keys.ToArray())
            Forget(newcomer);
    }

    protected override async Task EndAsync()
    {
        await Loop.InvokeAsync(() =>
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
        var newcomer = new DescriptorSocket(Descriptor.Duplicate((int)socket.Handle));
        if (PeerCredentials.Of(newcomer.Descriptor).AreOurs)
            _newcomers.Add(newcomer, Loop.Watch(newcomer.Descriptor, () => Introduce(newcomer)));   // other services do not wait for what it says
        else
            newcomer.Dispose();   // a stranger: the name is no secret
    }

    void Introduce(DescriptorSocket newcomer)
    {
        Span<byte> message = stackalloc byte[256];
        var length = newcomer.Receive(message, out var passed);
        if (passed >= 0)
            _ = Libc.Close(passed);
        if (!CryptographicOperations.FixedTimeEquals(message[..length], Encoding.ASCII.GetBytes(_secret)))
        {
            Forget(newcomer);
            return;
        }

        _newcomers.Remove(newcomer, out var token);
        Loop.Unwatch(newcomer.Descriptor, token);
        var link = new HandlerLink(newcomer, PeerCredentials.Of(newcomer.Descriptor).ProcessId);
        _links.Add(link);
        link.Token = Loop.Watch(link.SocketDescriptor, () => Receive(link));
        if (_links.Count >= _service.Workers)
            _ready.TrySetResult();
        _hasRoom();
    }

    void Forget(DescriptorSocket newcomer)
    {
        if (_newcomers.Remove(newcomer, out var token))
            Loop.Unwatch(newcomer.Descriptor, token);
        newcomer.Dispose();
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
        Loop.Unwatch(link.SocketDescriptor, link.Token);
        if (link.Count > 0)
            _logger.WorkerLost(_service.Name, link.Count, "Its clients see their connections end, others go on.");
        link.Close();
        Drain();
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
