using System.Globalization;

namespace Skein.Serve;

/// <summary>Serves an unmodified ASP.NET Core application by several processes.</summary>
static class PreforkProgram
{
    const int Unavailable = 69, Configuration = 78;

    public static async Task<int> RunAsync(Settings settings)
    {
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
        IReadOnlyList<ListeningSocket> sockets;
        try
        {
            sockets = Listen(settings);
        }
        catch (ServeException error)
        {
            return Fail(error.Message, Configuration);
        }

        var application = settings["application"]!;
        var master = new PreforkMaster(Options(settings), _ => Task.FromResult(application), settings.Arguments, sockets);
        await using var ended = master.ConfigureAwait(false);
        asked = new(master);
        master.Log.Follow(line => (line.IsError ? Console.Error : Console.Out).WriteLine(line.Source == master.Options.Id ? $"skein: {line.Text}" : $"{line.Source} | {line.Text}"));
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

    static List<ListeningSocket> Listen(Settings settings)
    {
        var addresses = settings.Values["listen"].ToList();
        if (addresses.Count == 0)
            addresses.AddRange((Environment.GetEnvironmentVariable("ASPNETCORE_URLS") ?? "http://localhost:5000").Split(';', StringSplitOptions.RemoveEmptyEntries));
        var sockets = new List<ListeningSocket>();
        try
        {
            foreach (var address in addresses.SelectMany(ListenAddress.Parse))
                sockets.Add(ListeningSocket.Open(address));
            return sockets;
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }

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
