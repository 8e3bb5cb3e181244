using System.Runtime.InteropServices;

namespace Skein.Serve;

/// <summary>
/// The super-server with the services of a file. SIGHUP reads the file again; SIGTERM and SIGINT let connections end and then end, the second of
/// them ends at once.
/// </summary>
static class ServicesProgram
{
    const int NoInput = 66, Unavailable = 69, Configuration = 78;

    public static async Task<int> RunAsync(Settings settings)
    {
        var (path, isChecking) = (settings["file"]!, settings["check"] == "True");
        Func<ServiceFile> read = settings["grammar"] == "inetd" ? () => InetdFile.Read(path) : () => ServicesYaml.Read(path);
        ServiceFile file;
        try
        {
            file = read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Fail(error.Message, NoInput);
        }

        foreach (var error in file.Errors)
            (isChecking ? Console.Out : Console.Error).WriteLine(error);
        if (file.Errors.Count > 0)
            return isChecking ? Configuration : Fail($"{path} has errors: nothing is started.", Configuration);
        return isChecking ? 0 : await ServeAsync(file.Services, read).ConfigureAwait(false);
    }

    static async Task<int> ServeAsync(IReadOnlyList<Service> services, Func<ServiceFile> read)
    {
        using var log = new StandardErrorLog();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var early = new CancellationTokenSource();
        var asked = 0;
        SuperServer? server = null;
        using var terminate = On(PosixSignal.SIGTERM, Stop);
        using var interrupt = On(PosixSignal.SIGINT, Stop);
        using var hangUp = On(PosixSignal.SIGHUP, () => _ = ReloadAsync(server, read));
        try
        {
            server = await SuperServer.StartAsync(services, new() { LoggerFactory = log }, early.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception error) when (IsOfTheStart(error))
        {
            return Fail(error.Message, Unavailable);
        }

        Console.Error.WriteLine($"skein: {services.Count} services are served.");
        await stopping.Task.ConfigureAwait(false);
        await server.StopAsync().ConfigureAwait(false);
        return 0;

        void Stop()
        {
            early.Cancel();
            stopping.TrySetResult();
            if (Interlocked.Increment(ref asked) > 1)
                server?.EndNow();
        }
    }

    static async Task ReloadAsync(SuperServer? server, Func<ServiceFile> read)
    {
        try
        {
            if (server is null)
                return;   // it reads the file just now
            var file = read();
            foreach (var error in file.Errors)
                await Console.Error.WriteLineAsync($"{error}").ConfigureAwait(false);
            if (file.Errors.Count > 0)
            {
                Fail("nothing is changed: the file has errors.", Configuration);
                return;
            }

            await server.ReloadAsync(file.Services).ConfigureAwait(false);
            await Console.Error.WriteLineAsync($"skein: reloaded; {file.Services.Count} services are served.").ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfTheStart(error))
        {
            Fail($"nothing is changed: {error.Message}", Unavailable);
        }
    }

    static bool IsOfTheStart(Exception error) =>
        error is IOException or UnauthorizedAccessException or PlaceException or TimeoutException or CannotTravelException or ObjectDisposedException or ArgumentException;

    static PosixSignalRegistration On(PosixSignal signal, Action act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        act();
    });

    static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"skein: {message}");
        return code;
    }
}
