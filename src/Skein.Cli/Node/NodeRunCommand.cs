using System.Reflection;

namespace Skein.Cli;

/// <summary>Carries out <c>skein run FILE -n NODE</c>: a mobile function of the file, or the whole of it, at a node.</summary>
static class NodeRunCommand
{
    public static async Task<int> RunAsync(NodeRunRequest request)
    {
        var dll = await Application.DllOfAsync(request.File, Messages.Note, CancellationToken.None).ConfigureAwait(false);
        if (request.Function is null)
            return await RunWholeAsync(request, dll).ConfigureAwait(false);
        return ApplicationHook.IsInside ? await RunFunctionAsync(request, request.Function).ConfigureAwait(false) : throw ApplicationHook.Enter(dll);
    }

    static async Task<int> RunWholeAsync(NodeRunRequest request, string dll)
    {
        var (node, id, code) = (await RunningServers.ChooseNodeAsync(request.Node).ConfigureAwait(false), "", 0);
        using var gone = new CancellationTokenSource();
        using var interruption = new Interruption(() => End(), () => End("now"));
        try
        {
            await ControlClient.AskAsync(
                node,
                ["run", Environment.CurrentDirectory, request.IsDetached ? "detached" : "attached", Path.GetFileName(request.File), DotnetHost.Path, dll, .. request.Words],
                data: Take,
                cancellation: gone.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It was not started yet; if it is, it ends when its node hears that nobody waits for it.
        }
        return interruption.ExitCode ?? code;

        void End(params string[] how)
        {
            if (id.Length == 0)
                gone.Cancel();
            else
                _ = EndAsync(how);
        }

        async Task EndAsync(string[] how)
        {
            try
            {
                await ControlClient.AskAsync(node, ["kill", id, .. how]).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is CommandFailure or IOException)
            {
                // It has ended by itself, or its node has.
            }
        }

        void Take(System.Text.Json.JsonElement said)
        {
            if (said.TryGetProperty("out", out var output))
                StandardStream.Output.Write(output.GetBytesFromBase64());
            else if (said.TryGetProperty("err", out var errors))
                StandardStream.Error.Write(errors.GetBytesFromBase64());
            else if (said.TryGetProperty("exit", out var exit))
                code = exit.GetInt32();
            else
                id = said.GetProperty("id").GetString()!;
            if (request.IsDetached)
                StandardStream.Output.Write(id + "\n");
        }
    }

    static async Task<int> RunFunctionAsync(NodeRunRequest request, string name)
    {
        var function = FunctionName.Find(Assembly.GetEntryAssembly()!, name);
        var arguments = Arguments(function, request.Words);
        using var stop = new CancellationTokenSource();
        Process<object?>? process = null;
        using var interruption = new Interruption(stop.Cancel, () => process?.Kill());
        try
        {
            var place = At(request.Node);
            await RunningServers.ChooseNodeAsync(request.Node).ConfigureAwait(false);   // it answers
            if (request.IsDetached)
            {
                StandardStream.Output.Write(await place.StartDetachedAsync(function, arguments, stop.Token).ConfigureAwait(false) + "\n");
                return 0;
            }
            process = await place.StartAsync(function, arguments, stop.Token).ConfigureAwait(false);
            await using var end = process.ConfigureAwait(false);
            Write(await process.Completion.ConfigureAwait(false), function);
            return 0;
        }
        catch (Exception) when (interruption.ExitCode is { } code)
        {
            return code;
        }
        catch (PlaceException error)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.Message);
        }
        catch (ArgumentException error)
        {
            throw CommandFailure.Usage($"--function: {Messages.Of(error)}");
        }
        catch (ProcessLostException error)
        {
            throw new CommandFailure(error.Exit.Cause == ExitCause.Killed ? ExitCode.OfSignal(9) : ExitCode.Unavailable, error.Message);
        }
        catch (Exception error) when (error is not CommandFailure)
        {
            var trace = UserTrace.Of(error);
            throw new CommandFailure(ExitCode.Software, trace.Length == 0 ? error.Message : $"{name} threw {error.GetType().Name}: {error.Message}", trace);
        }
    }

    static NodePlace At(string node)
    {
        try
        {
            RunFolder.MakeForNodes();
            return Place.Node(node);
        }
        catch (ArgumentException error)
        {
            throw CommandFailure.Usage($"-n: {Messages.Of(error)}");
        }
    }

    static object?[] Arguments(MethodInfo function, string[] words)
    {
        try
        {
            return new InputArguments(function).Of(words);
        }
        catch (FormatException error)
        {
            throw CommandFailure.Usage($"--function: {error.Message}.");
        }
    }

    static void Write(object? result, MethodInfo function)
    {
        using var output = new OutputBuffer();
        ResultText.Append(output, result, function.ReturnType.IsGenericType ? function.ReturnType.GenericTypeArguments[0] : typeof(void));
        output.Read(StandardStream.Output.Write);
    }
}

/// <param name="File">The C# file or application.</param>
/// <param name="Function">Null: the whole of it.</param>
/// <param name="Words">Arguments.</param>
/// <param name="IsDetached">Only its id is said, and it is left to itself.</param>
sealed record NodeRunRequest(string File, string Node, string? Function, string[] Words, bool IsDetached);
