using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Hosting;

namespace Skein;

/// <summary>
/// The worker's side of the conversation with its master. It has a thread of its own, so that it hears and answers whatever the
/// application does with the thread pool.
/// <code>
///   master                       this process
///     │  ◄── ready ──────────────  the application has started
///     │  ─── accept ────────────►  <see cref="InheritedListener"/> opens
///     │  ◄── beat, every second ─
///     │  ─── drain ─────────────►  listener closes
///     │  ◄── closed ─────────────  connections end with their next answer; then the host stops
///     ▼  end of file: the master is gone, drain
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
[SuppressMessage("Design", "CA1001", Justification = "There is one, as long as the process.")]
sealed partial class ServedApplication
{
    /// <summary>
    /// How long a client that keeps its connection has to send its next request, whose answer then says that the connection ends. To close
    /// a connection that is only quiet for a moment would break the request that is under way on it.
    /// </summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    static readonly TimeSpan BeatTime = TimeSpan.FromSeconds(1);

    static readonly TimeSpan LookTime = TimeSpan.FromMilliseconds(10);

    /// <summary>What SignalR says to its clients at the end takes a moment.</summary>
    static readonly TimeSpan LeastStop = TimeSpan.FromSeconds(1);

    readonly DescriptorSocket _master = new(ServedSettings.ControlDescriptor);
    readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _closed = new();
    readonly PoolProbe _pool = new();
    IHostApplicationLifetime? _lifetime;
    readonly CancelQuestions _questions;
    IDisposable? _telemetry;
    int _draining;

    ServedApplication(ServedSettings settings)
    {
        Settings = settings;
        _questions = new(message => Send(message, canWait: false));
        Named = new(_questions.AskAsync);
        AccessLog = settings.AccessLog is { } file ? OpenLog(file) : null;
    }

    public ServedSettings Settings { get; }

    public AccessLog? AccessLog { get; }

    public RequestCounts Requests { get; } = new();

    /// <summary>Those that are open; a set.</summary>
    public ConcurrentDictionary<ConnectionContext, bool> Connections { get; } = new();

    /// <summary>How the host stops; null before it is built.</summary>
    public HostOptions? Stop { get; set; }

    /// <summary>Requests that can be cancelled from any worker.</summary>
    public NamedRequests Named { get; }

    /// <summary>Where requests run on bounded threads: looks at those.</summary>
    public StallProbe? Threads { get; set; }

    /// <summary>Completes when connections may be accepted.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Cancelled when no more are to be accepted.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>This process is a worker.</summary>
    public static bool IsHere { get; private set; }

    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    /// <summary>Called before the application's Main.</summary>
    public static void Begin(ServedSettings settings)
    {
        IsHere = true;
        var served = new ServedApplication(settings);
        foreach (var descriptor in Enumerable.Range(ServedSettings.ControlDescriptor, 1 + settings.Addresses.Count))
            _ = Libc.Control(descriptor, SetDescriptorFlags, CloseOnExec);   // what the application starts must not hold the port
        new Thread(served.Listen, 256 * 1024) { IsBackground = true, Name = "skein-master" }.Start();
        new Thread(served.SendBeats, 128 * 1024) { IsBackground = true, Name = "skein-beat" }.Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => served.End();
        ServedHost.Watch(served);
    }

    /// <summary>The application's host is being built.</summary>
    public void Found()
    {
        if (Settings.Collector is { } collector)
            _telemetry = TelemetryContext.Start(Settings.Server, Settings.Id, collector, say: null);   // that nothing can be sent the master says
    }

    /// <summary>The application has started.</summary>
    public void Ready(IHostApplicationLifetime lifetime)
    {
        _lifetime = lifetime;
        Send(new(ServedMessage.Ready));
    }

    /// <summary>The process ends: what it has served since its last beat counts too.</summary>
    void End()
    {
        AccessLog?.DisposeAsync().AsTask().Wait(BeatTime);
        _telemetry?.Dispose();
        Send(Requests.Beat(TimeSpan.Zero, TimeSpan.Zero).ToMessage());
    }

    void Listen()
    {
        Span<byte> buffer = stackalloc byte[ServedMessage.Longest];
        while (true)
        {
            var length = Receive(buffer);
            var message = length == 0 ? new(ServedMessage.Drain) : ServedMessage.Read(buffer[..length]);
            if (message.Word == ServedMessage.Accept)
                _opened.TrySetResult();
            else if (message is { Word: ServedMessage.Cancel, Fields: [var question, var name] })
                _questions.Answer(question, Named.TryCancel(name) ? CancelOutcome.Cancelled : CancelOutcome.Unknown);
            else if (message is { Word: ServedMessage.Cancelled, Fields: [var number, var outcome] })
                _questions.Hear(number, outcome);
            else if (message.Word == ServedMessage.Drain && Interlocked.Exchange(ref _draining, 1) == 0)
                _ = DrainAsync();
            if (length > 0)
                continue;

            // The master is gone: nobody else would end this process if it does not end by itself.
            if (_lifetime is not null)
                Thread.Sleep(Settings.Drain + Quiet);
            Descendants.KillAll(Descendants.OwnMarker ?? "");
            EndAtOnce(MasterGone);
        }
    }

    int Receive(Span<byte> buffer)
    {
        try
        {
            return _master.Receive(buffer, out _);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    async Task DrainAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        Send(new(ServedMessage.Closed));
        var started = TimeProvider.System.GetTimestamp();
        while (Requests.Connections > 0 && TimeProvider.System.GetElapsedTime(started) < Quiet)
            await Task.Delay(LookTime, TimeProvider.System).ConfigureAwait(false);
        if (Requests.Hubs > 0)
            await DrainHubsAsync(started).ConfigureAwait(false);
        _lifetime?.StopApplication();
    }

    /// <summary>The others go as if the application stopped already; that has what is left of the time when it does.</summary>
    async Task DrainHubsAsync(long started)
    {
        foreach (var connection in Connections.Keys)
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        while (Requests.Hubs > 0 && TimeProvider.System.GetElapsedTime(started) < Settings.Drain)
            await Task.Delay(LookTime, TimeProvider.System).ConfigureAwait(false);
        var left = Settings.Drain - TimeProvider.System.GetElapsedTime(started);
        if (Stop is not null)
            Stop.ShutdownTimeout = left > LeastStop ? left : LeastStop;
    }

    void SendBeats()
    {
        while (Send(Requests.Beat(_pool.Delay, Threads?.Look() ?? TimeSpan.Zero).ToMessage()))
        {
            _pool.Ask();
            Thread.Sleep(BeatTime);
        }
    }

    // The folder may have gone since the server's start, which looked.
    static AccessLog OpenLog(string file)
    {
        try
        {
            return new(file);
        }
        catch (LinuxException error)
        {
            Console.Error.WriteLine($"skein: the access log '{file}' cannot be written: {error.Message}");
            EndAtOnce(Configuration);
            throw;
        }
    }

    bool Send(ServedMessage message, bool canWait = true)
    {
        Span<byte> buffer = stackalloc byte[ServedMessage.Longest];
        try
        {
            return _master.TrySend(buffer[..message.WriteTo(buffer)], canWait);
        }
        catch (IOException)
        {
            return false;   // the master is gone; the other thread notices
        }
    }

    const int SetDescriptorFlags = 2, CloseOnExec = 1, MasterGone = 70, Configuration = 78;

    // Without the application's own handlers, which may wait for what never comes.
    [LibraryImport("libc", EntryPoint = "_exit")] private static partial void EndAtOnce(int code);
}
