using System.Reflection;

namespace Skein.Cli;

/// <summary>Runs the application's own <c>Main</c> in a thread of this process, which is the application (<see cref="ApplicationHook"/>).</summary>
static class MainThread
{
    public static async Task<int> RunAsync(RunRequest request)
    {
        var entry = Assembly.GetEntryAssembly()?.EntryPoint
            ?? throw new CommandFailure(ExitCode.NotExecutable, $"{request.File} is no application: it has no Main.");
        var process = await Place.Thread.StartAsync(Invoke, entry, request.Program, new() { TimeLimit = request.Limits.Timeout, Grace = request.Limits.Grace }).ConfigureAwait(false);
        using var interruption = new Interruption(() => _ = process.StopAsync(), () => { });
        try
        {
            return await process.Completion.ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await Task.WhenAny(process.Exited, Task.Delay(request.Limits.Grace, TimeProvider.System)).ConfigureAwait(false);
            Messages.Error($"{Path.GetFileName(request.File)} took longer than --timeout {Duration.Format(request.Limits.Timeout!.Value)}.");
            return ExitCode.TimedOut;
        }
        catch (Exception error)
        {
            StandardStream.Error.Write($"Unhandled exception. {error}\n");
            return ExitCode.OfSignal(6);
        }
    }

    static int Invoke(MethodInfo entry, string[] arguments)
    {
        var result = entry.Invoke(null, BindingFlags.DoNotWrapExceptions, null, entry.GetParameters().Length == 0 ? [] : [arguments], null);
        return result as int? ?? Environment.ExitCode;
    }
}
