using System.Text.Json;

namespace Skein.Cli;

/// <summary>What a mobile process has printed, at whichever of this machine's nodes it did: in the order of time, each line once.</summary>
sealed class ProcessLog(string id, DateTimeOffset from, string level, Action<JsonElement> show)
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Of two nodes the one may be read sooner than the other: so long lines wait for earlier ones.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    readonly Lock _gate = new();
    readonly PriorityQueue<JsonElement, DateTimeOffset> _waiting = new();
    readonly Dictionary<string, (DateTimeOffset Time, long Number)> _last = [];   // of each node

    /// <summary>What there is. False: nothing.</summary>
    public async Task<bool> ShowAsync()
    {
        await Task.WhenAll(RunFolder.Nodes().Select(node => ReadAsync(node, isFollowed: false, CancellationToken.None))).ConfigureAwait(false);
        Show(DateTimeOffset.MaxValue);
        return _last.Count > 0;
    }

    /// <summary>The same, and what comes, until it has ended.</summary>
    /// <returns>What is known of its last hour.</returns>
    public async Task<LastSight> FollowAsync()
    {
        var sight = new LastSight(DateTimeOffset.MinValue, null, "");
        using var over = new CancellationTokenSource();
        var reading = new Dictionary<string, Task>();
        do
        {
            foreach (var node in RunFolder.Nodes())
            {
                if (!reading.TryGetValue(node, out var running) || running.IsCompleted)
                    reading[node] = ReadAsync(node, isFollowed: true, over.Token);
            }
            await Task.Delay(LookEvery / 2, TimeProvider.System).ConfigureAwait(false);
            Show(TimeProvider.System.GetUtcNow() - Patience);
        }
        while ((sight = await LookAsync(sight).ConfigureAwait(false)).Why.Length == 0);
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reading.Values).ConfigureAwait(false);
        await ShowAsync().ConfigureAwait(false);   // its last words
        return sight;
    }

    /// <summary>Where nobody can say, it may live.</summary>
    async Task<LastSight> LookAsync(LastSight before)
    {
        var now = TimeProvider.System.GetUtcNow();
        try
        {
            var found = await RunningServers.FindProcessAsync(id).ConfigureAwait(false);
            if (found.Process!.State == "elsewhere")
                await ControlClient.AskAsync(found.Server.Socket, ["inspect", id], limit: MobileCommands.LookLimit).ConfigureAwait(false);   // asked itself
            return new(now, found.Process.State is "elsewhere" or "moving" ? before.Node : found.Server, "");
        }
        catch (CommandFailure failure)
        {
            return failure.ExitCode == ExitCode.Temporary ? before : before with { Why = failure.Message };
        }
    }

    async Task ReadAsync(string node, bool isFollowed, CancellationToken cancellation)
    {
        try
        {
            await LogsCommand.AskAsync(node, from, level, id, isFollowed, line => Take(node, line), cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is CommandFailure or OperationCanceledException or IOException)
        {
            // It has ended, or this has.
        }
    }

    void Take(string node, JsonElement line)
    {
        var (time, number) = (line.GetProperty("time").GetDateTimeOffset(), line.GetProperty("number").GetInt64());
        lock (_gate)
        {
            if (_last.TryGetValue(node, out var last) && time <= last.Time && number <= last.Number)
                return;   // another node of this name counts anew, later
            _last[node] = (time, number);
            _waiting.Enqueue(line.Clone(), time);
        }
    }

    void Show(DateTimeOffset until)
    {
        lock (_gate)
        {
            while (_waiting.TryPeek(out _, out var time) && time <= until)
                show(_waiting.Dequeue());
        }
    }
}

/// <param name="Time">It ran then.</param>
/// <param name="Node">Where it was; null: it was on its way, or at another machine.</param>
/// <param name="Why">What its not being found was said with; empty while it runs.</param>
sealed record LastSight(DateTimeOffset Time, RunningServer? Node, string Why);
