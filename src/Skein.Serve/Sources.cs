using Skein.Cli;

namespace Skein.Serve;

/// <summary>What is served, as it was named: a dll, or what one is built of.</summary>
sealed class Sources(string file)
{
    static readonly TimeSpan LookTime = TimeSpan.FromMilliseconds(500);

    /// <summary>The dll to run, built first where it must be.</summary>
    /// <param name="note">Is told of a build.</param>
    /// <exception cref="ServeException">It cannot be built: the message holds what the compiler said.</exception>
    public async Task<string> DllAsync(Action<string> note, CancellationToken cancellation)
    {
        try
        {
            return await Application.DllOfAsync(file, note, cancellation).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            throw new ServeException($"{failure.Message}{(failure.Output.Length > 0 ? $" The build printed:\n{failure.Output.TrimEnd()}" : "")}", failure);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServeException($"{file} cannot be built: {error.Message}", error);
        }
    }

    /// <summary>Reloads each time the sources are other than those that were tried last, and have stayed so for a moment.</summary>
    /// <param name="served">The state that is served at the beginning.</param>
    public async Task WatchAsync(PreforkMaster master, string served, CancellationToken cancellation)
    {
        var last = served;
        while (!cancellation.IsCancellationRequested)
        {
            var started = TimeProvider.System.GetTimestamp();
            var now = State() ?? served;
            var took = TimeProvider.System.GetElapsedTime(started);
            if (now != served && now == last)
            {
                served = now;
                await ReloadAsync(master, cancellation).ConfigureAwait(false);
            }

            last = now;
            await Task.Delay(took * 20 > LookTime ? took * 20 : LookTime, TimeProvider.System, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What the sources are like at the moment; null where that cannot be told, as while a file is being replaced.</summary>
    public string? State()
    {
        try
        {
            return Application.IsSource(file) ? SourceState.Of(file) : Release.At(file).State;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ServeException)
        {
            return null;
        }
    }

    static async Task ReloadAsync(PreforkMaster master, CancellationToken cancellation)
    {
        try
        {
            await master.ReloadAsync(cancellation).ConfigureAwait(false);
        }
        catch (ServeException failure)
        {
            master.Report(failure);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
