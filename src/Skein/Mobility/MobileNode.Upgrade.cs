namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>
    /// Lets the processes that are at this node go on in another build of their application: each between two turns, where it waits. It may
    /// if each function on its stack, and each that it holds, is the same in both builds; whatever else there is may have changed. For a function
    /// that is not the same, one of the other build can go on (<see cref="MigratesAttribute"/>). The others go on in their own build.
    /// </summary>
    /// <param name="build">That which they are to use: a newer one, or an older one.</param>
    /// <param name="within">How long an ordinary task that a process awaits may keep it; by default 30 s.</param>
    /// <returns>The processes that use something of which the build has another version.</returns>
    /// <exception cref="IOException">The node keeps the code of processes that a store has, and cannot keep this.</exception>
    public Task<IReadOnlyList<Upgraded>> UpgradeAsync(LoadedBuild build, TimeSpan? within = null, CancellationToken cancellation = default) =>
        AskAllAsync(build, false, within, cancellation);

    /// <summary>How <see cref="UpgradeAsync"/> would come out now. Nothing changes, and nothing of the other build runs: what that throws is not seen.</summary>
    /// <inheritdoc cref="UpgradeAsync"/>
    public Task<IReadOnlyList<Upgraded>> PreviewUpgradeAsync(LoadedBuild build, TimeSpan? within = null, CancellationToken cancellation = default) =>
        AskAllAsync(build, true, within, cancellation);

    async Task<IReadOnlyList<Upgraded>> AskAllAsync(LoadedBuild build, bool isPreview, TimeSpan? within, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(build);
        if (!isPreview && build.Space?.Context.Files is { } files)
        {
            foreach (var file in files)
                Kept?.Keep(file.Mvid, files, isOwn: true);
        }
        var asked = new List<(Resident Asked, UpgradeCut Cut)>();
        foreach (var process in _residents.Values)
        {
            var cut = new UpgradeCut(build, isPreview);
            asked.Add((process, cut));
            process.Post(new UpgradeRequest(cut));
        }
        var results = new List<Upgraded>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var limit = Task.Delay(within ?? MoveLimit, Time, over.Token);
        foreach (var (process, cut) in asked)
        {
            if (await Task.WhenAny(cut.Done, limit).ConfigureAwait(false) == limit && cut.TryGiveUp())
            {
                if (!process.IsGone)
                    results.Add(new(process.Id, $"{process.WhyNotYet()} It goes on in its own build."));
                process.Post(new CutGivenUp());   // what it held up goes on
                continue;
            }
            if (await cut.Done.ConfigureAwait(false) is { } result)
                results.Add(result with { ProcessId = process.Id });
        }
        await over.CancelAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return results;
    }
}
