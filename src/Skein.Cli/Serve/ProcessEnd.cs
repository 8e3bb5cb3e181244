using System.Text.Json;

namespace Skein.Cli;

/// <summary>How a mobile process has ended, as the log of the node tells where it did (where it was started, if it is lost); and the code of <c>skein run -n</c> for it.</summary>
sealed class ProcessEnd(string id)
{
    /// <summary>It is told a moment after the process is not there any more.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1), LookEvery = TimeSpan.FromMilliseconds(50);

    const string Failed = "has failed: ", Lost = "is lost: ";

    (DateTimeOffset Time, string Text)? _told;

    /// <summary>False where the line is none of its node's, but what it has printed itself.</summary>
    public bool Take(JsonElement line)
    {
        if (line.GetProperty("level").GetString() is "information")
            return false;
        _told = (line.GetProperty("time").GetDateTimeOffset(), line.GetProperty("text").GetString()!);
        return true;
    }

    /// <summary>Zero: it has returned.</summary>
    /// <exception cref="CommandFailure">It has not, or nobody can say.</exception>
    public async Task<int> CodeAsync(ProcessLog log, LastSight sight)
    {
        for (var waited = TimeSpan.Zero; TextAfter(sight.Time) is null && waited < Patience; waited += LookEvery)
        {
            await Task.Delay(LookEvery, TimeProvider.System).ConfigureAwait(false);
            await log.ShowAsync().ConfigureAwait(false);
        }
        return TextAfter(sight.Time) switch
        {
            null => throw new CommandFailure(ExitCode.Unavailable, await GuessAsync(sight).ConfigureAwait(false)),
            var text when text.StartsWith(Failed, StringComparison.Ordinal) => throw FailureOf(text[Failed.Length..]),
            var text when text.StartsWith(Lost, StringComparison.Ordinal) => throw new CommandFailure(ExitCode.Unavailable, text[Lost.Length..]),
            "was killed." => throw new CommandFailure(ExitCode.OfSignal(9), $"process {id} was killed."),
            _ => 0,
        };
    }

    /// <summary>It may have ended before, and been restored.</summary>
    string? TextAfter(DateTimeOffset time) => _told is { } told && told.Time >= time ? told.Text : null;

    CommandFailure FailureOf(string trace) => new(ExitCode.Software, $"process {id} has failed: {trace.Split('\n')[0]}", trace.TrimEnd('\n') + "\n");

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
