using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Processes that accept on one listening socket, under <see cref="ServerModel.Prefork"/>: each is this application, and serves its connections as an
/// event loop. Here is only who asks them and starts them again.
/// <code>
///                      ┌─► AcceptingWorker ══ LocalServing ─┐
///   AcceptingWorkers ──┤                                    ├─ accept on the socket, which stays open here
///    (WorkerPool)      └─► AcceptingWorker ══ LocalServing ─┘
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
sealed class AcceptingWorkers : StreamServing
{
    /// <summary>What a worker may take longer than its connections were given, before it is killed.</summary>
    static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    readonly Lock _gate = new();
    readonly List<AcceptingLink> _links = [];
    readonly Backoff _backoff = new(freeFailures: 2);
    readonly CancellationTokenSource _stopping = new();
    readonly Lazy<Task> _stopped;
    readonly AcceptingAssignment _assignment;
    readonly WorkerPool _pool;
    readonly Socket _socket;
    readonly string? _file;
    readonly StreamServerOptions _options;
    readonly ILogger _logger;
    readonly List<Task> _tasks = [];
    StreamCounts _ended;
    TimeSpan? _grace;
    int _started;

    AcceptingWorkers(Socket socket, EndPoint endpoint, AcceptingAssignment assignment, WorkerPool pool, StreamServerOptions options)
    {
        (_socket, _pool, _options) = (socket, pool, options);
        EndPoint = socket.LocalEndPoint!;
        _file = endpoint is UnixDomainSocketEndPoint && endpoint.ToString() is ['/', ..] file ? file : null;
        _logger = options.LoggerFactory.CreateLogger<SkeinServer>();
        _assignment = assignment with { Cancel = Callback.To<string, bool>(text => CancelKey.TryParse(text, out var key) && TryCancel(key)), Warn = new Warnings(_logger) };
        _stopped = new(StopOnceAsync);
    }

    /// <exception cref="IOException">Nobody can listen there.</exception>
    /// <exception cref="CannotTravelException">The handler, or an option, holds what cannot leave this process.</exception>
    /// <exception cref="PlaceException">A worker could not be started.</exception>
    public static async Task<AcceptingWorkers> StartAsync(string id, EndPoint endpoint, ConnectionDelegate handler, int workers, StreamServerOptions options, CancellationToken cancellation)
    {
        var assignment = AcceptingAssignment.Of(id, handler, workers, options);
        var socket = Listener.Bind(endpoint, options.Backlog);
        AcceptingWorkers? serving = null;
        try
        {
            var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = workers, Logger = options.LoggerFactory.CreateLogger<WorkerPool>() }, cancellation).ConfigureAwait(false);
            serving = new(socket, endpoint, assignment, pool, options);
            var ready = Enumerable.Range(0, workers).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
            serving._tasks.AddRange(ready.Select(serving.KeepAsync));
            await Task.WhenAll(ready.Select(worker => worker.Task)).WaitAsync(cancellation).ConfigureAwait(false);
            return serving;
        }
        catch
        {
            if (serving is not null)
                await serving.StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            else
                Free(socket, (endpoint as UnixDomainSocketEndPoint)?.ToString());
            throw;
        }
    }

    public override EndPoint EndPoint { get; }

    /// <summary>Those of workers that do not answer are missing.</summary>
    public override IReadOnlyList<ConnectionStatus> Connections => [.. Links().SelectMany(link => link.Table()).OrderByDescending(row => row.Age)];

    /// <summary>Also of workers that have ended, as far as those were asked.</summary>
    public override StreamCounts Counts
    {
        get
        {
            lock (_gate)
                return _links.Aggregate(_ended, (sum, link) => sum + link.Counts());
        }
    }

    /// <summary>The processes that serve.</summary>
    public IReadOnlyList<int> ProcessIds => _pool.WorkerProcessIds;

    public override bool TryCancel(CancelKey key) => Links().Find(link => link.Number == key.Number / AcceptingAssignment.NumbersEach)?.TryCancel(key) ?? false;

    public override Task StopAsync(TimeSpan? grace)
    {
        _grace ??= grace;
        return _stopped.Value;
    }

    List<AcceptingLink> Links()
    {
        lock (_gate)
            return [.. _links];
    }

    /// <summary>Sees to it that there is a worker, and another when that is lost.</summary>
    async Task KeepAsync(TaskCompletionSource ready)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var (here, there) = DescriptorSocket.Pair();
            var link = new AcceptingLink(here, Interlocked.Increment(ref _started));
            using (there)
            {
                try
                {
                    link.Ended(await _pool.RunAsync(AcceptingWorker.ServeAsync, _assignment with
                    {
                        Number = link.Number,
                        Socket = new((int)_socket.Handle),
                        Link = new(there.Descriptor),
                        Ready = Callback.To<int>(_ => Begins(link, ready)),
                    }).ConfigureAwait(false));
                }
                catch (ObjectDisposedException)
                {
                    return;   // the pool: this server stops
                }
                catch (Exception error)
                {
                    if (ready.TrySetException(error))
                        return;
                    if (!_stopping.IsCancellationRequested)
                        await MournAsync(error).ConfigureAwait(false);
                }
                finally
                {
                    Ends(link);
                }
            }
        }
    }

    async Task MournAsync(Exception error)
    {
        var pause = _backoff.AfterFailure();
        _logger.AcceptingWorkerLost(error.Message, pause);
        await Task.Delay(pause, TimeProvider.System, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    void Begins(AcceptingLink link, TaskCompletionSource ready)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
                link.Stop(TimeSpan.Zero);
            _links.Add(link);
        }

        _backoff.AfterSuccess();
        ready.TrySetResult();
    }

    void Ends(AcceptingLink link)
    {
        lock (_gate)
        {
            _links.Remove(link);
            _ended += link.Counts();   // as it last said
        }

        link.Dispose();
    }

    async Task StopOnceAsync()
    {
        var grace = _grace ?? _options.Grace;
        Free(_socket, _file);
        lock (_gate)
        {
            _stopping.Cancel();
            foreach (var link in _links)
                link.Stop(grace);
        }

        await Task.WhenAny(Task.WhenAll(_tasks), Task.Delay(grace + Margin, TimeProvider.System)).ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_tasks).ConfigureAwait(false);
        _stopping.Dispose();
    }

    static void Free(Socket socket, string? file)
    {
        socket.Dispose();
        if (file is not null)
            File.Delete(file);
    }

    /// <summary>What workers warn of goes where the server's own warnings go.</summary>
    sealed class Warnings(ILogger logger) : IProgress<WorkerWarning>
    {
        public void Report(WorkerWarning value) => logger.WorkerWarns((LogLevel)value.Level, value.Worker, value.Text);
    }
}
