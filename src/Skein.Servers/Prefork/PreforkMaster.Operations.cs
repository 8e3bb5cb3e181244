using System.Diagnostics;

namespace Skein;

// What people ask for. Each waits until it is done or has failed; one that has failed has changed nothing.
partial class PreforkMaster
{
    static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    static readonly ActivitySource Activities = new("Skein.Serve");

    /// <summary>Starts the workers; they serve when this returns.</summary>
    /// <exception cref="ServeException">They cannot: the message says why. Nothing runs.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => InTurnAsync("start", async () =>
    {
        var release = await ResolveAsync(cancellationToken).ConfigureAwait(false);
        List<ServingProcess> fresh = [];
        if (_options.Keys is { } keys && !Directory.Exists(keys))
        {
            // The first one makes the keys, and the others find them: two that make them at once would not know each other's.
            fresh.AddRange(await BringUpAsync(release, 1, cancellationToken).ConfigureAwait(false));
            Directory.CreateDirectory(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        fresh.AddRange(await BringUpAsync(release, _options.Workers + _options.Spares - fresh.Count, cancellationToken).ConfigureAwait(false));
        RefuseWhenStopping();
        _ = Commit(release, fresh);
        OnPhase?.Invoke(PreforkPhase.Serving);
        _upkeep = Task.Run(UpkeepAsync, CancellationToken.None);
    }, cancellationToken);

    /// <summary>
    /// Puts workers of what the application's path leads to now in the place of all that serve. The new ones accept connections when all of
    /// them are ready, and only then the old ones are drained.
    /// </summary>
    /// <exception cref="ServeException">The new version cannot serve: the message says why. The old one goes on.</exception>
    public Task ReloadAsync(CancellationToken cancellationToken) => InTurnAsync("reload", async () =>
    {
        RefuseWhenStopping();
        OnPhase?.Invoke(PreforkPhase.Reloading);
        try
        {
            _ = Release ?? throw new ServeException("The server has not started yet.");
            WarnIfOverwritten();
            var release = await ResolveAsync(cancellationToken).ConfigureAwait(false);
            Say(LogSeverity.Information, $"reloading from {release.Folder}.");
            var old = Commit(release, await BringUpAsync(release, Wanted + _options.Spares, cancellationToken).ConfigureAwait(false));

            // New connections belong to the new version from here on; an old worker that does not answer is not waited for.
            await Task.WhenAny(Task.WhenAll(old.Select(process => process.Closed)), Task.Delay(AnswerTime, _time, CancellationToken.None)).ConfigureAwait(false);
            Say(LogSeverity.Information, $"reloaded: {Describe(Serving())}.");
        }
        finally
        {
            OnPhase?.Invoke(IsStopping ? PreforkPhase.Stopping : PreforkPhase.Serving);
        }
    }, cancellationToken);

    /// <summary>Changes the number of workers.</summary>
    /// <exception cref="ServeException">More are asked for, and they cannot serve. As many serve as before.</exception>
    public Task ScaleAsync(int workers, CancellationToken cancellationToken) => ScaleAsync(_ => workers, cancellationToken);

    /// <summary>So many more workers, or fewer, than there are to be when it is this one's turn; one remains.</summary>
    /// <inheritdoc cref="ScaleAsync(int, CancellationToken)"/>
    public Task ScaleByAsync(int more, CancellationToken cancellationToken) => ScaleAsync(wanted => Math.Max(1, wanted + more), cancellationToken);

    Task ScaleAsync(Func<int, int> change, CancellationToken cancellationToken) => InTurnAsync("scale", async () =>
    {
        RefuseWhenStopping();
        var workers = change(Wanted);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        var release = Release ?? throw new ServeException("The server has not started yet.");
        var more = workers - Wanted;
        var fresh = more > 0 ? await BringUpAsync(release, more, cancellationToken).ConfigureAwait(false) : [];
        lock (_lock)
        {
            _wanted = workers;
            foreach (var process in fresh)
                process.IsCounted = true;
            foreach (var process in Serving().Reverse().Take(-more))
                process.Drain();
        }

        Promote();
        Say(LogSeverity.Information, $"scaled to {workers}: {Describe(Serving())}.");
    }, cancellationToken);

    /// <summary>Ends the server: gracefully, within the time that requests are given, or at once.</summary>
    public async Task StopAsync(bool now)
    {
        lock (_lock)
        {
            if (!_stopping.IsCancellationRequested)
            {
                OnPhase?.Invoke(PreforkPhase.Stopping);
                _stopping.Cancel();

                // Who comes now is refused, and does not wait for workers that accept no more; they close theirs when they are told to drain.
                foreach (var socket in Sockets)
                    socket.Dispose();
            }

            foreach (var process in _processes)
            {
                if (now)
                    process.Kill();
                else
                    process.Drain();
            }
        }

        await _upkeep.ConfigureAwait(false);
        while (Processes is { Count: > 0 } left)
            await Task.WhenAll(left.Select(process => process.Exited)).ConfigureAwait(false);
        _completion.TrySetResult();
    }

    /// <summary>One after the other; what follows them by OpenTelemetry sees how long each took, and how it went.</summary>
    async Task InTurnAsync(string name, Func<Task> operation, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var span = Activities.StartActivity(name);
        try
        {
            await operation().ConfigureAwait(false);
            span?.SetTag("skein.workers", Wanted).SetTag("skein.release", Release?.Folder);
        }
        catch (Exception error)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    async Task<Release> ResolveAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        try
        {
            return Skein.Release.At(await _application(ended.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (IsStopping)
        {
            throw Stops();
        }
    }

    /// <summary>Starts workers that wait to be asked; all of them or none.</summary>
    async Task<IReadOnlyList<ServingProcess>> BringUpAsync(Release release, int count, CancellationToken cancellationToken)
    {
        var fresh = new List<ServingProcess>();
        try
        {
            while (fresh.Count < count)
                fresh.Add(StartOne(release, isCounted: false));
            var left = fresh.ToDictionary(process => (Task)process.Ready);
            while (left.Count > 0)
            {
                var first = (Task<string?>)await Task.WhenAny(left.Keys).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (await first.ConfigureAwait(false) is { } cause)
                {
                    // Its last words are read before it counts as ended.
                    left[first].Kill();
                    await left[first].Exited.ConfigureAwait(false);
                    throw new ServeException(Explain(left[first], cause));
                }

                left.Remove(first);
            }

            return fresh;
        }
        catch
        {
            foreach (var process in fresh)
                process.Kill();
            if (IsStopping)
                throw Stops();
            throw;
        }
    }

    List<ServingProcess> Commit(Release release, IReadOnlyList<ServingProcess> fresh)
    {
        List<ServingProcess> old;
        lock (_lock)
        {
            old = [.. _processes.Where(process => process.IsCounted)];
            _release = release;
            foreach (var process in fresh)
                process.IsCounted = true;
            _backoff.AfterSuccess();
            _nextStart = null;
        }

        Promote();
        foreach (var process in old)
            process.Drain();
        return old;
    }

    void RefuseWhenStopping()
    {
        if (IsStopping)
            throw Stops();
    }

    static ServeException Stops() => new("The server stops.");

    static string Describe(IReadOnlyList<ServingProcess> processes) =>
        $"{processes.Count} serve ({string.Join(", ", processes.Select(process => $"{process.Id} pid {process.Pid}"))})";
}
