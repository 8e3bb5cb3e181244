using System.Globalization;

namespace Skein.Serve;

/// <summary>Serves an unmodified ASP.NET Core application by several processes.</summary>
static class PreforkProgram
{
    const int Unavailable = 69, Configuration = 78;

    public static async Task<int> RunAsync(Settings settings)
    {
        if (settings["check"] is not null)
            return await CheckAsync(settings).ConfigureAwait(false);
        ControlSocket control;
        try
        {
            control = ControlSocket.Open(settings["control"]!);
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Unavailable);
        }

        await using var closed = control.ConfigureAwait(false);
        List<ListeningSocket> sockets;
        ListeningSocket? admin;
        try
        {
            CheckFiles(settings);
            (sockets, admin) = Listening.Open(settings);
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Configuration);
        }

        SessionStore? sessions;
        try
        {
            sessions = await SessionsAsync(settings).ConfigureAwait(false);
        }
        catch (Exception error) when (error is PlaceException or RemoteException or IOException or InvalidDataException)
        {
            return Fail($"the store of sessions does not start: {error.Message}", Unavailable);
        }

        try
        {
            return await ServeAsync(settings, sockets, admin, control).ConfigureAwait(false);
        }
        finally
        {
            if (sessions is not null)
                await sessions.DisposeAsync().ConfigureAwait(false);
        }
    }

    static async Task<int> ServeAsync(Settings settings, List<ListeningSocket> sockets, ListeningSocket? admin, ControlSocket control)
    {
        var sources = new Sources(settings["application"]!);
        var before = sources.State();
        var notice = new SystemdNotice(TimeProvider.System);
        await using var told = notice.ConfigureAwait(false);
        PreforkMaster master = null!;
        Task<string> DllAsync(CancellationToken cancellation) => sources.DllAsync(text => master.Say(LogSeverity.Information, text), cancellation);
        master = new(Options(settings), DllAsync, settings.Arguments, sockets) { OnPhase = notice.Tell };
        await using var ended = master.ConfigureAwait(false);
        control.Answer = new PreforkControl(master).AnswerAsync;
        var output = new ServeOutput(master);
        await using var printed = output.ConfigureAwait(false);
        using var measures = settings["otlp"] is null ? null : PreforkMeasure.Publish(master);
        using var telemetry = settings["otlp"] is { } collector ? TelemetryContext.Start(master.Options.Id, master.Options.Id, collector, text => master.Say(LogSeverity.Warning, text)) : null;
        using var adminSocket = admin;
        var health = await AdminServer.StartAsync(master, admin).ConfigureAwait(false);
        await using var healthEnded = health.ConfigureAwait(false);
        using var signals = new MasterSignals(master);
        using var end = new EndSignals(master);
        try
        {
            await master.StartAsync(end.Stopped).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException || (error is ServeException && master.IsStopping))
        {
            return 0;   // it was told to end before it served
        }
        catch (ServeException error)
        {
            master.Report(error);
            return Unavailable;
        }

        master.Say(LogSeverity.Information, $"{master.Options.Id} serves on {string.Join(" and ", sockets.Select(socket => socket.Address))} with {Count(master.Wanted, "worker")}.");
        using var watched = new CancellationTokenSource();
        var watching = settings["watch"] is null ? Task.CompletedTask : sources.WatchAsync(master, before ?? "", watched.Token);
        await master.Completion.ConfigureAwait(false);
        await watched.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        return 0;
    }

    /// <summary>The process that keeps the sessions for all workers, which find it by the environment that they inherit.</summary>
    static async Task<SessionStore?> SessionsAsync(Settings settings)
    {
        if (settings["sessions"] is null)
            return null;
        var options = new SessionOptions();
        var store = await SessionStore.StartAsync(settings["session-file"] is { } file ? options with { Durable = true, File = file } : options).ConfigureAwait(false);
        Environment.SetEnvironmentVariable(SessionStore.Variable, store.Address);
        return store;
    }

    /// <summary>Tries all that can be tried without starting the application.</summary>
    static async Task<int> CheckAsync(Settings settings)
    {
        try
        {
            _ = Release.At(await new Sources(settings["application"]!).DllAsync(Console.Error.WriteLine, CancellationToken.None).ConfigureAwait(false));
            CheckFiles(settings);
            Listening.Check(settings);
            return 0;
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Configuration);
        }
    }

    static void CheckFiles(Settings settings)
    {
        if (settings["access-log"] is { } file)
            AccessLog.Check(file);
    }

    static PreforkOptions Options(Settings settings)
    {
        var options = new PreforkOptions
        {
            Id = settings["id"]!,
            Workers = (settings["model"] ?? "prefork") != "prefork" ? 1 : Number("workers") is { } workers ? (int)workers : Environment.ProcessorCount,
            Spares = (int)(Number("spares") ?? 0),
            Model = settings["model"] switch
            {
                "iterative" => ServerModel.Iterative,
                "threaded" => ServerModel.Threaded,
                "eventloop" => ServerModel.EventLoop,
                _ => Number("threads") is { } threads ? ServerModel.Dispatcher((int)threads, (int)(Number("queue") ?? 0)) : null,
            },
            MaxRequests = Number("max-requests"),
            MaxMemory = Number("max-memory"),
            Keys = settings["keys"],
            Certificate = settings["certificate"],
            CertificateKey = settings["certificate-key"],
            AccessLog = settings["access-log"],
            Collector = settings["otlp"],
        };
        return options with
        {
            StartTimeout = Time("start-timeout") ?? options.StartTimeout,
            Drain = Time("drain") ?? options.Drain,
            Heartbeat = Time("heartbeat") ?? options.Heartbeat,
        };

        long? Number(string name) => settings[name] is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

        TimeSpan? Time(string name) => settings[name] is { } text ? TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture)) : null;
    }

    static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"skein: {message}");
        return code;
    }
}
