using System.Globalization;

namespace Skein.Serve;

/// <summary>Serves an unmodified ASP.NET Core application by several processes.</summary>
static class PreforkProgram
{
    const int Unavailable = 69, Configuration = 78;

    public static async Task<int> RunAsync(Settings settings)
    {
        if (settings["check"] is not null)
            return Check(settings);
        PreforkControl? asked = null;
        ControlSocket control;
        try
        {
            control = ControlSocket.Open(settings["control"]!, request => asked?.AnswerAsync(request) ?? throw new ServeException("The server does not run yet."));
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
            sockets = Listening.Open(settings);
            admin = settings["admin"] is { } url ? OpenAdmin(url) : null;
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
            return await ServeAsync(settings, sockets, admin, request => asked = request).ConfigureAwait(false);
        }
        finally
        {
            if (sessions is not null)
                await sessions.DisposeAsync().ConfigureAwait(false);
        }
    }

    static async Task<int> ServeAsync(Settings settings, List<ListeningSocket> sockets, ListeningSocket? admin, Action<PreforkControl> answer)
    {
        var application = settings["application"]!;
        using var notice = new SystemdNotice(TimeProvider.System);
        var master = new PreforkMaster(Options(settings), _ => Task.FromResult(application), settings.Arguments, sockets) { OnPhase = notice.Tell };
        await using var ended = master.ConfigureAwait(false);
        answer(new(master));
        master.Log.Follow(line => (line.IsError ? Console.Error : Console.Out).WriteLine(line.Origin == master.Options.Id ? $"skein: {line.Text}" : $"{line.Origin} | {line.Text}"));
        using var adminSocket = admin;
        var health = await AdminServer.StartAsync(master, admin).ConfigureAwait(false);
        await using var healthEnded = health.ConfigureAwait(false);
        using var signals = new MasterSignals(master);
        try
        {
            await master.StartAsync(signals.Stopped).ConfigureAwait(false);
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Unavailable);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }

        Console.Error.WriteLine($"skein: {master.Options.Id} serves on {string.Join(" and ", sockets.Select(socket => socket.Address))} with {Count(master.Wanted, "worker")}.");
        await master.Completion.ConfigureAwait(false);
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
    static int Check(Settings settings)
    {
        try
        {
            _ = Release.At(settings["application"]!);
            Listening.Open(settings).ForEach(socket => socket.Dispose());
            if (settings["admin"] is { } admin)
                OpenAdmin(admin).Dispose();
            return 0;
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Configuration);
        }
    }

    static ListeningSocket OpenAdmin(string url) =>
        ListenAddress.Parse(url) is [{ Scheme: "http" } address, ..] ? ListeningSocket.Open(address) : throw new ServeException($"--admin takes an http address; '{url}' is none.");

    static PreforkOptions Options(Settings settings)
    {
        var options = new PreforkOptions
        {
            Id = settings["id"]!,
            Workers = Number("workers") is { } workers ? (int)workers : Environment.ProcessorCount,
            Spares = (int)(Number("spares") ?? 0),
            Threads = (int)(Number("threads") ?? 0),
            Queue = (int)(Number("queue") ?? 0),
            MaxRequests = Number("max-requests"),
            MaxMemory = Number("max-memory"),
            Keys = settings["keys"],
            Certificate = settings["certificate"],
            CertificateKey = settings["certificate-key"],
            AccessLog = settings["access-log"],
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
