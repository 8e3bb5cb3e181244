using System.Runtime.InteropServices;

namespace Skein.Serve;

/// <summary>
/// The super-server with the services of a file. SIGHUP reads the file again; SIGTERM and SIGINT let connections end and then end, the second of
/// them ends at once. The same can be asked over its control socket.
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

        foreach (var error in file.Errors.Concat(isChecking ? file.Warnings : []).OrderBy(error => error.Line))
            (isChecking ? Console.Out : Console.Error).WriteLine(error);
        if (file.Errors.Count > 0)
            return isChecking ? Configuration : Fail($"{path} has errors: nothing is started.", Configuration);
        if (isChecking)
            return 0;

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
        return await ServeAsync(settings["id"]!, file, read, control).ConfigureAwait(false);
    }

    static async Task<int> ServeAsync(string id, ServiceFile first, Func<ServiceFile> read, ControlSocket control)
    {
        using var log = new ServicesLog(id);
        using var early = new CancellationTokenSource();
        var (stopping, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var asked = 0;
        SuperServer? server = null;
        using var terminate = On(PosixSignal.SIGTERM, () => _ = StopAsync(now: Interlocked.Increment(ref asked) > 1));
        using var interrupt = On(PosixSignal.SIGINT, () => _ = StopAsync(now: Interlocked.Increment(ref asked) > 1));
        using var hangUp = On(PosixSignal.SIGHUP, () => _ = ReportAsync(ReloadAsync(), log));
        Warn(first);
        try
        {
            server = await SuperServer.StartAsync(first.Services, new() { LoggerFactory = log }, early.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception error) when (IsOfTheStart(error))
        {
            return Fail(error.Message, Unavailable);
        }

        control.Answer = new SuperServerControl(id, server, log.Lines) { ReloadAsync = ReloadAsync, StopAsync = StopAsync, End = ended.Task }.AnswerAsync;
        log.Say($"{first.Services.Count} services are served.");
        await stopping.Task.ConfigureAwait(false);
        await server.StopAsync().ConfigureAwait(false);
        ended.SetResult();
        return 0;

        void Warn(ServiceFile file)
        {
            foreach (var warning in file.Warnings)
                log.Say($"{warning}", LogSeverity.Warning);
        }

        Task StopAsync(bool now)
        {
            early.Cancel();
            stopping.TrySetResult();
            if (now)
                server?.EndNow();
            return ended.Task;
        }

        async Task ReloadAsync()
        {
            if (server is null)
                return;   // it reads the file just now
            try
            {
                var file = read();
                foreach (var error in file.Errors)
                    log.Say($"{error}", LogSeverity.Error);
                if (file.Errors.Count > 0)
                    throw new ServeException("nothing is changed: the file has errors.");
                Warn(file);
                await server.ReloadAsync(file.Services).ConfigureAwait(false);
                log.Say($"reloaded; {file.Services.Count} services are served.");
            }
            catch (Exception error) when (IsOfTheStart(error))
            {
                throw new ServeException($"nothing is changed: {error.Message}", error);
            }
        }
    }

    static async Task ReportAsync(Task operation, ServicesLog log)
    {
        try
        {
            await operation.ConfigureAwait(false);
        }
        catch (ServeException error)
        {
            log.Say(error.Message, LogSeverity.Error);
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
