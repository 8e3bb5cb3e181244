using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Skein;

/// <summary>
/// The workers of one call of RunIn: a pool that is started once, and once more if that has failed. It ends with the application.
/// </summary>
sealed class EndpointWorkers(Place place, IsolationOptions options)
{
    static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    readonly Lock _gate = new();
    readonly LaterLogger _logger = new();
    Task<WorkerPool>? _pool;
    string? _application;
    long _failedAt;
    bool _stopped;

    public ILogger Logger => _logger;

    /// <summary>Starts the workers, in the background.</summary>
    public void Begin(string application)
    {
        lock (_gate)
        {
            _application ??= application;
            _pool ??= Task.Run(StartAsync);
        }
    }

    /// <summary>Has been told whose endpoint it is.</summary>
    public EndpointWorkers Join(IServiceProvider services)
    {
        lock (_gate)
            _application ??= services.GetService<IHostEnvironment>()?.ApplicationName ?? Assembly.GetEntryAssembly()?.GetName().Name;
        if (services.GetService<ILoggerFactory>() is { } loggers)
            _logger.Target = loggers.CreateLogger("Skein.Isolated");
        services.GetService<IHostApplicationLifetime>()?.ApplicationStopped.Register(Stop);
        return this;
    }

    /// <summary>The pool, when its workers are ready.</summary>
    /// <exception cref="PlaceException">They cannot be started.</exception>
    public Task<WorkerPool> PoolAsync()
    {
        var pool = Volatile.Read(ref _pool);
        return pool is { IsFaulted: false, IsCanceled: false } ? pool : AgainAsync();
    }

    Task<WorkerPool> AgainAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            if (_pool is null or { IsFaulted: true } && (_failedAt == 0 || TimeProvider.System.GetElapsedTime(_failedAt) > PauseAfterFailure))
                _pool = Task.Run(StartAsync);
            return _pool!;
        }
    }

    async Task<WorkerPool> StartAsync()
    {
        try
        {
            var (application, arguments) = (_application!, Environment.GetCommandLineArgs()[1..]);
            return await WorkerPool.StartAsync(place, options.Pool with
            {
                Initializer = () => WorkerHost.Build(application, arguments),
                Environment = new Dictionary<string, string> { ["DOTNET_gcServer"] = "0" },   // a heap for each processor is for one process on the machine
                Logger = _logger,
            }).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            Volatile.Write(ref _failedAt, TimeProvider.System.GetTimestamp());
            _logger.CannotStart(error.Message);
            throw;
        }
    }

    void Stop()
    {
        Task<WorkerPool>? pool;
        lock (_gate)
        {
            _stopped = true;
            (pool, _pool) = (_pool, null);
        }

        if (pool is not null)
            _ = EndAsync(pool);
    }

    static async Task EndAsync(Task<WorkerPool> starting)
    {
        await ((Task)starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (starting.IsCompletedSuccessfully)
            await (await starting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The application's logger, as soon as there is one.</summary>
    sealed class LaterLogger : ILogger
    {
        public ILogger Target { get; set; } = NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => Target.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => Target.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Target.Log(logLevel, eventId, state, exception, formatter);
    }
}
