using System.Reflection;

namespace Skein.Cli;

/// <summary>Runs the application's own <c>Main</c> in a thread of this process, which is the application (<see cref="ApplicationHook"/>).</summary>
static class MainThread
{
    public static async Task<int> RunAsync(RunRequest request)
    {
        var entry = Assembly.GetEntryAssembly()?.EntryPoint
            ?? throw new CommandFailure(ExitCode.NotExecutable, $"{request.File} is no application: it has no Main.");
        Process<int>? process = null;
        var abandoned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interruption = new Interruption(() => _ = StopAsync(process, request.Limits.Grace, abandoned), () => abandoned.TrySetResult());
        process = await Place.Thread.StartAsync(Invoke, entry, request.Program, new() { TimeLimit = request.Limits.Timeout, Grace = request.Limits.Grace }).ConfigureAwait(false);
        try
        {
            await Task.WhenAny(process.Completion, abandoned.Task).ConfigureAwait(false);
            return process.Completion.IsCompleted ? await process.Completion.ConfigureAwait(false) : interruption.ExitCode!.Value;
        }
        catch (TimeoutException) when (request.Limits.Timeout is { } limit)
        {
            await Task.WhenAny(process.Exited, abandoned.Task, Task.Delay(request.Limits.Grace, TimeProvider.System)).ConfigureAwait(false);
            Messages.Error($"{Path.GetFileName(request.File)} took longer than --timeout {Duration.Format(limit)}.");
            return ExitCode.TimedOut;
        }
        catch (Exception error)
        {
            StandardStream.Error.TryWrite($"Unhandled exception. {error}\n");
            return ExitCode.OfSignal(6);
        }
    }

    // A thread that goes on after its grace period cannot be killed: it is waited for no longer, and ends with this process.
    static async Task StopAsync(Process<int>? process, TimeSpan grace, TaskCompletionSource abandoned)
    {
        if (process is not null)
        {
            _ = process.StopAsync();
            await Task.WhenAny(process.Exited, Task.Delay(grace, TimeProvider.System)).ConfigureAwait(false);
        }

        abandoned.TrySetResult();
    }

    static int Invoke(MethodInfo entry, string[] arguments)
    {
        var result = entry.Invoke(null, BindingFlags.DoNotWrapExceptions, null, entry.GetParameters().Length == 0 ? [] : [arguments], null);
        return result as int? ?? Environment.ExitCode;
    }
}
