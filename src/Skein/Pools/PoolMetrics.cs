using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Skein;

/// <summary>What a pool counts: instruments of the meter <c>Skein</c>, each with the tag <c>pool</c>.</summary>
sealed class PoolMetrics : IDisposable
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Skein";

    static readonly ActivitySource Activities = new(Name);

    readonly Meter _meter = new(Name);
    readonly KeyValuePair<string, object?> _pool;
    readonly Counter<long> _completed, _failed, _lost, _restarts, _timeouts;
    readonly Histogram<double> _waited;
    long _started;

    public PoolMetrics(string pool, Func<int> workers, Func<int> busy, Func<int> waiting)
    {
        _pool = new("pool", pool);
        _completed = _meter.CreateCounter<long>("skein.pool.tasks.completed", "{task}", "Tasks that had a result.");
        _failed = _meter.CreateCounter<long>("skein.pool.tasks.failed", "{task}", "Tasks that failed, for whatever reason.");
        _lost = _meter.CreateCounter<long>("skein.pool.workers.lost", "{worker}", "Workers that ended without being told to.");
        _restarts = _meter.CreateCounter<long>("skein.pool.workers.started", "{worker}", "Workers that were started, the first ones included.");
        _timeouts = _meter.CreateCounter<long>("skein.pool.tasks.timed_out", "{task}", "Tasks that took too long.");
        _waited = _meter.CreateHistogram<double>("skein.pool.task.wait", "s", "How long tasks waited for a worker.");
        _meter.CreateObservableGauge("skein.pool.workers", () => new Measurement<int>(workers(), _pool), "{worker}", "Workers that serve tasks.");
        _meter.CreateObservableGauge("skein.pool.workers.busy", () => new Measurement<int>(busy(), _pool), "{worker}", "Workers that run a task.");
        _meter.CreateObservableGauge("skein.pool.tasks.waiting", () => new Measurement<int>(waiting(), _pool), "{task}", "Tasks that wait for a worker.");
    }

    public long Restarts => Interlocked.Read(ref _started);

    /// <summary>The span of a task on the caller's side; null when nobody listens.</summary>
    public static Activity? StartActivity() => Activities.StartActivity("skein.task", ActivityKind.Client);

    public void Started(WorkItem item)
    {
        if (_waited.Enabled && item.HasWaited())
            _waited.Record(Stopwatch.GetElapsedTime(item.EnqueuedAt).TotalSeconds, _pool);
    }

    public void Ended(bool failed) => (failed ? _failed : _completed).Add(1, _pool);

    public void WorkerStarted()
    {
        Interlocked.Increment(ref _started);
        _restarts.Add(1, _pool);
    }

    public void WorkerLost() => _lost.Add(1, _pool);

    public void TimedOut() => _timeouts.Add(1, _pool);

    public void Dispose() => _meter.Dispose();
}
