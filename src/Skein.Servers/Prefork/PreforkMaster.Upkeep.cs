namespace Skein;

// What happens by itself, and what is done about it.
partial class PreforkMaster
{
    /// <summary>A server whose workers have lived so long is well again: the next crash is a first one.</summary>
    static readonly TimeSpan Well = TimeSpan.FromSeconds(10);

    static readonly TimeSpan LookTime = TimeSpan.FromMilliseconds(500);

    readonly Backoff _backoff = new(freeFailures: 2);
    readonly SemaphoreSlim _changed = new(0);
    long? _nextStart;   // no worker is started before
    long _lastFailure;
    Release? _saidOverwritten;

    async Task UpkeepAsync()
    {
        var last = _time.GetTimestamp();
        while (!IsStopping)
        {
            try
            {
                await _changed.WaitAsync(LookTime, _stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            // Where this process itself stood still (stopped, the machine suspended), it is not the workers that were silent.
            var wasAwake = _time.GetElapsedTime(last) < LookTime * 4;
            last = _time.GetTimestamp();
            if (wasAwake)
                KillStuck();
            RetireOld();
            StartMissing();
            lock (_lock)
            {
                if (!IsReady || _lastFailure == 0 || _time.GetElapsedTime(_lastFailure) <= Well)
                    continue;
                _lastFailure = 0;
                _backoff.AfterSuccess();
            }
        }
    }

    /// <summary>A worker that served, or was to, has ended by itself.</summary>
    void Crashed(ServingProcess process, ExitStatus status)
    {
        Interlocked.Increment(ref _crashes);
        var pause = Failed();
        var how = ServingProcess.Describe(status);
        var next = pause > TimeSpan.Zero ? $"the next start is in {pause.TotalSeconds:0.0} s" : "another takes its place";
        Say(LogSeverity.Error, $"worker {process.Id} (pid {process.Pid}) {how}; {next}.");
        Promote();
        _changed.Release();
        WarnIfOverwritten();
    }

    TimeSpan Failed()
    {
        var pause = _backoff.AfterFailure();
        lock (_lock)
        {
            _lastFailure = _time.GetTimestamp();
            _nextStart = _lastFailure + (long)(pause.TotalSeconds * _time.TimestampFrequency);
        }

        return pause;
    }

    void StartMissing()
    {
        List<ServingProcess> started = [];
        try
        {
            // In one step: what a reload leaves behind meanwhile nobody would end.
            lock (_lock)
            {
                if (_nextStart is { } next && _time.GetTimestamp() < next)
                    return;
                var release = _release!;
                var missing = _wanted + _options.Spares - _processes.Count(process => process.IsCounted && process.Release == release && process.Retiring is null
                    && process.State is ServingState.Starting or ServingState.Ready or ServingState.Serving);
                for (; missing > 0; missing--)
                    started.Add(StartOne(release, isCounted: true));
            }
        }
        catch (ServeException error)
        {
            var pause = Failed();
            Say(LogSeverity.Error, $"{error.Message}{(pause > TimeSpan.Zero ? $" The next start is in {pause.TotalSeconds:0.0} s." : "")}");
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }

        foreach (var process in started)
            _ = WelcomeAsync(process);
    }

    async Task WelcomeAsync(ServingProcess process)
    {
        if (await process.Ready.ConfigureAwait(false) is { } cause)
            Say(LogSeverity.Error, $"worker {process.Id} could not serve: {cause}.");   // its end is told, and made good, elsewhere
        else
            Promote();
    }

    /// <summary>Lets as many serve as should; then those go whose time has come.</summary>
    void Promote()
    {
        lock (_lock)
        {
            var ready = new Queue<ServingProcess>(_processes.Where(process => process.IsCounted && process.State == ServingState.Ready && process.Release == _release));
            var missing = _wanted - Serving().Count;
            while (missing > 0 && ready.TryDequeue(out var next))
                missing -= next.Accept() ? 1 : 0;
            if (missing > 0)
                return;
            foreach (var process in _processes.Where(process => process.Retiring is not null && process.State == ServingState.Serving))
            {
                Say(LogSeverity.Information, $"worker {process.Id} (pid {process.Pid}) is replaced: {process.Retiring}.");
                process.Drain();
            }
        }
    }

    void KillStuck()
    {
        foreach (var process in Processes.Where(process => process.State is ServingState.Ready or ServingState.Serving))
        {
            var deaf = TimeSpan.FromMilliseconds(process.Beat.PoolDelay);
            var held = TimeSpan.FromMilliseconds(process.Beat.Stall);
            var why = process.Silence > _options.Heartbeat ? "has shown no sign of life for"
                : deaf > _options.Heartbeat ? "has run nothing new on its thread pool (handlers that block hold all threads) for"
                : held > _options.Heartbeat ? "has all threads of its dispatcher held by requests of which none has moved, while others waited or were refused, for" : null;
            if (why is null)
                continue;
            Say(LogSeverity.Error, $"worker {process.Id} (pid {process.Pid}) {why} more than {_options.Heartbeat.TotalSeconds:0.#} s (--heartbeat): it is killed.");
            process.Kill();
        }
    }

    /// <summary>One at a time: each needs another in its place before it goes.</summary>
    void RetireOld()
    {
        if (_options.MaxRequests is null && _options.MaxMemory is null)
            return;
        lock (_lock)
        {
            if (_processes.Any(process => process.Retiring is not null && process.State == ServingState.Serving))
                return;
            foreach (var process in Serving())
            {
                if (process.Beat.Requests >= process.MostRequests)
                    process.Retiring = $"it has answered {process.Beat.Requests} requests (--max-requests)";
                else if (process.ResidentBytes is var bytes && bytes >= process.MostMemory)
                    process.Retiring = $"it has {bytes >> 20} MiB of memory (--max-memory)";
                if (process.Retiring is not null)
                    break;
            }
        }

        Promote();   // a spare can take its place at once
    }

    void WarnIfOverwritten()
    {
        if (_saidOverwritten == Release || Release?.Overwritten() is not [var first, ..] files)
            return;
        _saidOverwritten = Release;
        Say(LogSeverity.Warning,
            $"{(files.Count == 1 ? first : $"{first} and {files.Count - 1} more")} in {Release.Folder} {(files.Count == 1 ? "was" : "were")} overwritten while workers run it; they may crash or mix versions. " +
            "Put each release into a folder of its own, point a symbolic link at it, and reload.");
    }
}
