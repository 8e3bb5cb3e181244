using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Serves an application by several processes, and does nothing but look after them.
/// <code>
///                 ┌─► ServingProcess ══ the application, unmodified ─┐
///   PreforkMaster ┼─► ServingProcess ══ the application              ├─ accept on ListeningSocket, which the master holds open
///                 └─► ServingProcess ══ a spare: ready, not asked    ┘
/// </code>
/// What is asked of it (reload, scale, stop) happens one after the other, in PreforkMaster.Operations.cs; what happens by itself (a worker
/// crashes, is stuck, has had enough) is put right by one loop, in PreforkMaster.Upkeep.cs.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class PreforkMaster : IAsyncDisposable
{
    readonly PreforkOptions _options;
    readonly Func<CancellationToken, Task<string>> _application;
    readonly IReadOnlyList<string> _arguments;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    readonly SemaphoreSlim _turn = new(1);
    readonly CancellationTokenSource _stopping = new();
    readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly List<ServingProcess> _processes = [];
    Release? _release;
    Task _upkeep = Task.CompletedTask;
    ServedBeat _ended = ServedBeat.None;
    int _crashes;
    int _wanted;
    int _count;

    /// <param name="application">The path of the application's dll; asked again at each reload, it may build it before.</param>
    /// <param name="arguments">Those of the application.</param>
    /// <param name="sockets">Where it listens. They are disposed of with the master.</param>
    public PreforkMaster(PreforkOptions options, Func<CancellationToken, Task<string>> application, IReadOnlyList<string> arguments, IReadOnlyList<ListeningSocket> sockets, TimeProvider? time = null)
    {
        (_options, _application, _arguments) = (options, application, arguments);
        _time = time ?? TimeProvider.System;
        Sockets = sockets;
        Log = new(_time, options.Id);
        Started = _time.GetUtcNow();
        _wanted = options.Workers;
    }

    public PreforkOptions Options => _options;

    public IReadOnlyList<ListeningSocket> Sockets { get; }

    public ServeLog Log { get; }

    public DateTimeOffset Started { get; }

    /// <summary>Completes when the last worker has ended.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The workers at this moment, by age.</summary>
    public IReadOnlyList<ServingProcess> Processes
    {
        get
        {
            lock (_lock)
                return [.. _processes];
        }
    }

    /// <summary>How many workers are to serve.</summary>
    public int Wanted
    {
        get
        {
            lock (_lock)
                return _wanted;
        }
    }

    /// <summary>What is served now; null before the first start.</summary>
    public Release? Release
    {
        get
        {
            lock (_lock)
                return _release;
        }
    }

    /// <summary>How many workers answer requests of the current release, also those that are to be replaced.</summary>
    public int Answering
    {
        get
        {
            lock (_lock)
                return _processes.Count(process => process.State == ServingState.Serving && process.Release == _release);
        }
    }

    /// <summary>As many workers serve as there should be.</summary>
    public bool IsReady => Answering >= Wanted;

    /// <summary>It was told to end.</summary>
    public bool IsStopping => _stopping.IsCancellationRequested;

    public async ValueTask DisposeAsync()
    {
        await StopAsync(now: true).ConfigureAwait(false);
        await _turn.WaitAsync().ConfigureAwait(false);   // what was under way has noticed
        foreach (var socket in Sockets)
            socket.Dispose();
        _turn.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Is told when something begins; must not wait.</summary>
    public Action<PreforkPhase>? OnPhase { get; init; }

    /// <summary>How many workers ended by themselves, or had to be killed.</summary>
    public int Crashes => Volatile.Read(ref _crashes);

    /// <summary>What all workers together have served so far, those that have ended too.</summary>
    public ServedBeat Total
    {
        get
        {
            lock (_lock)
                return _processes.Aggregate(_ended, (sum, process) => sum + process.Beat);
        }
    }

    /// <summary>Those that accept connections and will go on to.</summary>
    public IReadOnlyList<ServingProcess> Serving()
    {
        lock (_lock)
            return [.. _processes.Where(process => process.State == ServingState.Serving && process.Retiring is null && process.Release == _release)];
    }

    /// <summary>Starts one worker; it is on the list until it has ended.</summary>
    ServingProcess StartOne(Release release, bool isCounted)
    {
        var id = $"{_options.Id}.{Interlocked.Increment(ref _count)}";
        var settings = new ServedSettings
        {
            Master = Environment.ProcessId,
            Id = id,
            Server = _options.Id,
            Addresses = [.. Sockets.Select(socket => socket.Address.Word)],
            Model = _options.Model,
            IsAsked = _options.IsAsked,
            Drain = _options.Drain,
            Keys = _options.Keys,
            Certificate = _options.Certificate,
            CertificateKey = _options.CertificateKey,
            AccessLog = _options.AccessLog,
            Collector = _options.Collector,
        };
        ServingProcess process;
        lock (_lock)
        {
            // Under the lock, so that what stops the server finds it on the list.
            _stopping.Token.ThrowIfCancellationRequested();
            process = ServingProcess.Start(new(release, settings, _options, _arguments, Sockets, Log, _time) { CancelElsewhere = CancelAsync });
            process.IsCounted = isCounted;
            _processes.Add(process);
        }

        _ = EndAsync(process);
        _ = LimitStartAsync(process);
        return process;
    }

    /// <summary>Cancels a request by its name, whichever worker has it, those that drain too.</summary>
    /// <param name="asker">The worker that does not have it.</param>
    async Task<CancelOutcome> CancelAsync(string asker, string name)
    {
        var asked = Processes.Where(process => process.Id != asker && process.State is ServingState.Serving or ServingState.Draining).Select(process => process.CancelAsync(name)).ToList();
        var outcome = CancelOutcome.Unknown;
        await foreach (var answered in Task.WhenEach(asked).ConfigureAwait(false))
        {
            var answer = await answered.ConfigureAwait(false);
            if (answer == CancelOutcome.Cancelled)
                return answer;
            if (answer != CancelOutcome.Unknown)
                outcome = answer;
        }

        return outcome;
    }

    async Task LimitStartAsync(ServingProcess process)
    {
        try
        {
            await process.Ready.WaitAsync(_options.StartTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.GiveUp($"it was not ready after {_options.StartTimeout.TotalSeconds:0.#} s (--start-timeout): an application is ready when its host has started");
        }
    }

    async Task EndAsync(ServingProcess process)
    {
        var status = await process.Exited.ConfigureAwait(false);
        bool wasCounted, wasExpected;
        lock (_lock)
        {
            _processes.Remove(process);
            _ended += process.Beat;
            wasCounted = process.IsCounted;
            wasExpected = process.IsDraining || IsStopping;
        }

        if (wasExpected)
            Say(LogSeverity.Information, $"worker {process.Id} (pid {process.Pid}) {ServingProcess.Describe(status)}.");
        else if (wasCounted)
            Crashed(process, status);
    }

    /// <summary>Who asked for something may not listen any more: what became of it stands in the log too.</summary>
    public void Report(ServeException failure) => Say(LogSeverity.Error, failure.Message);

    public void Say(LogSeverity severity, string text) => Log.Add(_options.Id, severity, text, isError: true);

    /// <summary>Why a worker did not become ready, with the last it printed.</summary>
    static string Explain(ServingProcess process, string cause) =>
        process.LastLines is { Length: > 0 } lines ? $"worker {process.Id} could not serve: {cause}. It printed:\n{lines}" : $"worker {process.Id} could not serve: {cause}.";
}

/// <summary>What a server is about.</summary>
enum PreforkPhase
{
    Serving,
    Reloading,
    Stopping,
}
