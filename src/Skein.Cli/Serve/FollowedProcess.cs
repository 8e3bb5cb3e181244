using System.Text.Json;

namespace Skein.Cli;

/// <summary>What a mobile process prints, at whichever of this machine's nodes it does.</summary>
static class FollowedProcess
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Until it has ended: each node where it has been is listened to, since lines may still come from there.</summary>
    public static async Task FollowAsync(string id, DateTimeOffset from, string level, Action<JsonElement> line, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var listening = new Dictionary<string, Task>();
        var gate = new Lock();
        while (await WhereAsync(id).ConfigureAwait(false) is { } socket)
        {
            if (!listening.TryGetValue(socket, out var heard) || heard.IsCompleted)
                listening[socket] = ListenAsync(socket);
            await Task.Delay(LookEvery, TimeProvider.System, cancellation).ConfigureAwait(false);
        }
        await Task.Delay(LookEvery, TimeProvider.System, cancellation).ConfigureAwait(false);   // for its last line
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(listening.Values).ConfigureAwait(false);

        async Task ListenAsync(string socket)
        {
            try
            {
                await LogsCommand.AskAsync(socket, from, level, id, follow: true, said =>
                {
                    lock (gate)
                        line(said);
                }, over.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is CommandFailure { ExitCode: ExitCode.Unavailable } or OperationCanceledException or IOException)
            {
                // Its node has ended, or it has.
            }
        }
    }

    /// <summary>The control socket of the node where it is; null when it has ended.</summary>
    public static async Task<string?> WhereAsync(string id)
    {
        try
        {
            return (await RunningServers.FindProcessAsync(id).ConfigureAwait(false)).Server.Socket;
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCode.Unavailable)
        {
            return null;
        }
    }
}
