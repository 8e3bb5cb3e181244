using System.Text.Json;

namespace Skein.Cli;

/// <summary>How a mobile process has ended, as the log of the node tells where it did (where it was started, if it is lost); and the code of <c>skein run -n</c> for it.</summary>
sealed class ProcessEnd(string id)
{
    /// <summary>It is told a moment after the process is not there any more.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1), LookEvery = TimeSpan.FromMilliseconds(50);

    (DateTimeOffset Time, string Ending, string Text)? _told;

    /// <summary>False where the line does not tell how it has ended, but is what it has printed itself.</summary>
    public bool Take(JsonElement line)
    {
        if (!line.TryGetProperty("ending", out var ending))
            return false;
        _told = (line.GetProperty("time").GetDateTimeOffset(), ending.GetString()!, line.GetProperty("text").GetString()!);
        return true;
    }

    /// <summary>Zero: it has returned.</summary>
    /// <exception cref="CommandFailure">It has not, or nobody can say.</exception>
    public async Task<int> CodeAsync(ProcessLog log, LastSight sight)
    {
        for (var waited = TimeSpan.Zero; !IsToldAfter(sight.Time) && waited < Patience; waited += LookEvery)
        {
            await Task.Delay(LookEvery, TimeProvider.System).ConfigureAwait(false);
            await log.ShowAsync().ConfigureAwait(false);
        }
        if (!IsToldAfter(sight.Time))
            throw new CommandFailure(ExitCode.Unavailable, await GuessAsync(sight).ConfigureAwait(false));
        var (_, ending, text) = _told!.Value;
        return ending switch
        {
            "failed" => throw new CommandFailure(ExitCode.Software, $"process {id} {text.Split('\n')[0]}", text.TrimEnd('\n') + "\n"),
            "lost" => throw new CommandFailure(ExitCode.Unavailable, $"process {id} {text}"),
            "killed" => throw new CommandFailure(ExitCode.OfSignal(9), $"process {id} {text}"),
            _ => 0,
        };
    }

    /// <summary>It may have ended before, and been restored.</summary>
    bool IsToldAfter(DateTimeOffset time) => _told is { } told && told.Time >= time;

    async Task<string> GuessAsync(LastSight sight)
    {
        if (sight.Node is not { } node)
            return sight.Why;
        var isThere = (await RunningServers.NodesAsync().ConfigureAwait(false)).Exists(one => one.Id == node.Id && (one.IsSilent || one.Pid == node.Pid));
        return isThere
            ? $"process {id} has ended at node {node.Id}; how, its log does not tell."
            : $"process {id} is lost: it was at node {node.Id}, which has ended. If it had stored itself (Here.Checkpoint), it goes on where its store is opened again.";
    }
}
