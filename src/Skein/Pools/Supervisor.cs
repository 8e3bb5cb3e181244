using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Keeps as many workers as there shall be: starts them, replaces those that are lost, recycles those that have done their share, and
/// keeps spares ready. A replacement is ready before its predecessor goes.
/// </summary>
sealed partial class Supervisor(string pool, Place place, PoolOptions options, Dispatcher dispatcher, PoolMetrics metrics, IWorkerOwner owner) : IDisposable
{
    readonly Lock _gate = new();
    readonly Backoff _backoff = new(options.RestartIntensity);
    readonly Backoff _afterReplacement = new(freeFailures: 0);   // of its own: the tasks that the old worker completes meanwhile say nothing
    readonly CancellationTokenSource _stopped = new();
    readonly Dictionary<Worker, long> _recycleAt = [];   // tasks after which each worker is replaced
    readonly HashSet<Task> _underWay = [];
    readonly HashSet<Worker> _all = [], _retiring = [];
    int _wanted = options.MinWorkers ?? options.Workers;
    int _most = options.Workers;
    int _starting;
    (long At, TimeSpan Pause) _replacementFailed;
    Exception? _lastFailure;

    /// <summary>All workers that live, spares and retiring ones included.</summary>
    public IReadOnlyList<Worker> All
    {
        get
        {
            lock (_gate)
                return [.. _all];
        }
    }

    /// <summary>Completes when nothing is being started any more. After <see cref="Stop"/>.</summary>
    public Task Settled
    {
        get
        {
            lock (_gate)
                return Task.WhenAll(_underWay);
        }
    }

    /// <summary>How many there shall be.</summary>
    public int Wanted
    {
        get
        {
            lock (_gate)
                return _wanted;
        }
    }

    /// <summary>Why no worker could be started the last time; null when one was.</summary>
    public Exception? LastFailure => _lastFailure;

    /// <summary>Starts the first workers; returns when all are ready.</summary>
    /// <exception cref="PlaceException">One could not be started: then none is left.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        var first = _wanted;
        lock (_gate)
            _starting += first;
        try
        {
            foreach (var worker in await Task.WhenAll(Enumerable.Range(0, first).Select(_ => StartOneAsync(cancellation))).ConfigureAwait(false))
                TryServe(worker);
        }
        finally
        {
            lock (_gate)
                _starting -= first;
        }

        Fill();
    }

    /// <summary>
    /// Starts what is missing. For a timer: a worker that is lost in the moment in which its neighbour has just begun to serve, and still
    /// counts as starting, is missed by those who act at once.
    /// </summary>
    public void Ensure()
    {
        if (!_stopped.IsCancellationRequested && dispatcher.Workers.Count < Wanted)
            Fill();
    }

    /// <summary>Whether there may be more than there shall be now.</summary>
    public bool CanGrow => Volatile.Read(ref _wanted) < Volatile.Read(ref _most);

    /// <summary>How many there may be.</summary>
    public int Most => Volatile.Read(ref _most);

    /// <summary>How many stay when they idle.</summary>
    public int Least => Math.Min(options.MinWorkers ?? int.MaxValue, Volatile.Read(ref _most));

    /// <summary>Changes how many there shall be.</summary>
    public void Resize(int wanted)
    {
        List<Worker> superfluous = [];
        lock (_gate)
        {
            _wanted = _most = wanted;
            superfluous.AddRange(dispatcher.Workers.OrderBy(worker => worker.Held).Take(Math.Max(0, dispatcher.Workers.Count - wanted)));
        }

        foreach (var worker in superfluous)
            Retire(worker);
        Fill();
    }

    /// <summary>One more worker because tasks wait; not beyond the limit.</summary>
    public void Grow()
    {
        lock (_gate)
        {
            if (_wanted >= _most || _starting > 0)
                return;
            _wanted++;
        }

        Fill();
    }

    /// <summary>One worker less, because it has been idle.</summary>
    public void Shrink(Worker idle)
    {
        if (!dispatcher.Remove(idle))
            return;   // it goes already
        lock (_gate)
            _wanted--;
        Retire(idle);
    }

    /// <summary>A worker has completed something: the place works; recycle the worker if it has done its share.</summary>
    public void OnCompleted(Worker worker)
    {
        if (worker.Completed > 0)
            _backoff.AfterSuccess();
        if (options.RecycleAfter is null)
            return;
        lock (_gate)
        {
            if (_recycleAt.TryGetValue(worker, out var limit) && worker.Completed >= limit)
                Follow(ReplaceAsync(worker));
        }
    }

    /// <summary>A worker has ended. Its place is taken by a spare at once, or by a new one.</summary>
    public void OnEnded(Worker worker, bool expected)
    {
        bool served = dispatcher.Remove(worker);
        lock (_gate)
        {
            _all.Remove(worker);
            _recycleAt.Remove(worker);
            expected |= _retiring.Remove(worker);
        }

        if (_stopped.IsCancellationRequested)
            return;
        if (!expected)
            metrics.WorkerLost();
        var hasFailed = worker.Completed == 0 && !expected;
        if (served)
            Fill(hasFailed);
        else
            FillSpares(TimeSpan.Zero, hasFailed);
    }

    /// <summary>
    /// Puts a new worker in the place of one, which ends when it has done what it holds. Where none could be started lately nothing is done:
    /// it is asked for again after the next task.
    /// </summary>
    public async Task ReplaceAsync(Worker worker)
    {
        lock (_gate)
        {
            if (options.TimeProvider.GetElapsedTime(_replacementFailed.At) < _replacementFailed.Pause || !TryMark(worker))
                return;
        }

        await Task.Yield();
        Worker successor;
        try
        {
            successor = TakeSpare() ?? await StartOneAsync(_stopped.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (!_stopped.IsCancellationRequested)
                _lastFailure = error;
            lock (_gate)
            {
                _retiring.Remove(worker);   // better an old one than none
                _replacementFailed = (options.TimeProvider.GetTimestamp(), _afterReplacement.AfterFailure());
            }

            return;
        }

        _afterReplacement.AfterSuccess();
        TryServe(successor);
        Retire(worker);
        RetireSuperfluous();
        Fill();
    }

    public void Stop() => _stopped.Cancel();

    /// <summary>After <see cref="Settled"/>.</summary>
    public void Dispose() => _stopped.Dispose();

    /// <summary>After how many tasks a worker is recycled: a tenth more or less, so that workers that began together do not go together.</summary>
    public static long ShareOf(int limit) => (long)(limit * (0.9 + Random.Shared.NextDouble() / 5));

    // False when it had ended a moment before it was added: then its end was no loss of a serving one, and nobody has filled its place.
    bool TryServe(Worker worker)
    {
        dispatcher.Add(worker);
        return !(worker.HasEnded && dispatcher.Remove(worker));
    }

    void Retire(Worker worker)
    {
        lock (_gate)
            TryMark(worker);
        dispatcher.Remove(worker);
        dispatcher.TakeBack(worker);
        worker.End();
    }

    // Under the lock. One that has ended is not marked as retiring: nobody would take it out again.
    bool TryMark(Worker worker) => _all.Contains(worker) && _retiring.Add(worker);

    // A worker that dies while its successor is being started is replaced twice. Whoever comes last sends one away.
    void RetireSuperfluous()
    {
        Worker[] superfluous;
        lock (_gate)
        {
            Worker[] staying = [.. dispatcher.Workers.Where(worker => !_retiring.Contains(worker))];
            superfluous = [.. staying.OrderBy(static worker => worker.Held).Take(staying.Length - _wanted)];
            Array.ForEach(superfluous, worker => TryMark(worker));
        }

        foreach (var worker in superfluous)
            Retire(worker);
    }

    void Fill(bool afterFailure = false)
    {
        var isTaken = false;
        while (true)
        {
            Worker? spare;
            lock (_gate)
            {
                if (dispatcher.Workers.Count + _starting >= _wanted)
                    break;
                _starting++;
                spare = TakeSpare();
                if (spare is null)
                    Follow(FillOneAsync(afterFailure));
            }

            if (spare is null)
                continue;
            isTaken = true;
            TryServe(spare);   // sends what waits for it: not under the lock
            lock (_gate)
                _starting--;
            RetireSuperfluous();
        }

        FillSpares(isTaken ? Pause : TimeSpan.Zero);
    }

    void Follow(Task task)
    {
        _underWay.RemoveWhere(each => each.IsCompleted);
        _underWay.Add(task);
    }

    async Task FillOneAsync(bool afterFailure)
    {
        try
        {
            await StartLivingAsync(afterFailure, TryServe).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                _starting--;
        }

        RetireSuperfluous();
    }

    // Tries until one lives, with pauses between failures, or the pool is stopped. Never fails.
    async Task StartLivingAsync(bool afterFailure, Func<Worker, bool> take)
    {
        await Task.Yield();
        try
        {
            while (!_stopped.IsCancellationRequested)
            {
                if (afterFailure && _backoff.AfterFailure() is { Ticks: > 0 } pause)
                {
                    LogPause(options.Logger, pool, pause, _lastFailure);
                    await Task.Delay(pause, options.TimeProvider, _stopped.Token).ConfigureAwait(false);
                }

                afterFailure = true;
                try
                {
                    if (take(await StartOneAsync(_stopped.Token).ConfigureAwait(false)))
                        return;
                }
                catch (Exception error) when (error is not OperationCanceledException || !_stopped.IsCancellationRequested)
                {
                    _lastFailure = error;   // whatever it was: a place that stays empty would be worse
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the pool is stopped
        }
    }

    async Task<Worker> StartOneAsync(CancellationToken cancellation)
    {
        var worker = await place.StartWorkerAsync(ProcessIds.Next(), owner, options.Process, cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            _all.Add(worker);
            if (options.RecycleAfter is { } limit)
                _recycleAt[worker] = ShareOf(limit);
        }

        metrics.WorkerStarted();
        try
        {
            await worker.Ready.WaitAsync(cancellation).ConfigureAwait(false);
            await PrepareAsync(worker).WaitAsync(cancellation).ConfigureAwait(false);
            _lastFailure = null;
            return worker;
        }
        catch
        {
            worker.Kill(ExitCause.Killed);
            await worker.Exited.ConfigureAwait(false);
            lock (_gate)
                _all.Remove(worker);   // its end may have been told before it was added
            throw;
        }
    }

    // The first call makes both sides load and compile what all calls need; so that no task has to wait for that, it is ours.
    async Task PrepareAsync(Worker worker)
    {
        var first = new WorkItem<Nothing>(new ActionJob(options.Initializer ?? (static () => { }))) { IsBound = true };
        if (!worker.Submit(first))
            throw new PlaceException($"Worker {worker.Id} ended as soon as it was ready.");
        try
        {
            await first.Completion.ConfigureAwait(false);
        }
        catch (Exception error) when (error is not PlaceException)
        {
            var what = options.Initializer is null ? "The first call" : "The initializer";
            throw new PlaceException($"{what} failed in worker {worker.Id}: {error.Message}", error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pool {Pool}: workers keep failing; the next one is started in {Pause}.")]
    static partial void LogPause(ILogger logger, string pool, TimeSpan pause, Exception? error);
}
