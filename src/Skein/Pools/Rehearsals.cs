namespace Skein;

/// <summary>
/// The kinds of tasks that a pool has been given, for its spares: most of what a worker's first task of a kind costs is loading and
/// compiling, and a spare has the time for that. Only functions without state are kept, and no arguments.
/// <para>Pools that keep spares share what they know: what one was given, the spares of the next one rehearse. A pool without spares
/// contributes nothing, for remembering would cost it time that nobody gets back.</para>
/// </summary>
/// <param name="rehearse">Is told of each new kind, on a thread of its own.</param>
sealed class Rehearsals(Action<Job> rehearse)
{
    // A spare compiles each in a few milliseconds; who has more kinds of tasks than that is better off with its spare early.
    const int Most = 16;

    static readonly Lock SharedGate = new();
    static Job[] _ofProcess = [];   // the latest last

    readonly Lock _gate = new();
    readonly HashSet<Delegate> _failed = [];
    Job[] _kinds = [];

    /// <summary>One job of each kind, without arguments: this pool's own, then the latest of the others as far as there is room.</summary>
    public IReadOnlyList<Job> Kinds
    {
        get
        {
            lock (_gate)
            {
                var own = _kinds;
                var others = Volatile.Read(ref _ofProcess).Reverse().Where(kind => !_failed.Contains(kind.Function) && !own.Any(each => IsSame(each, kind)));
                return [.. own.Concat(others).Take(Most)];
            }
        }
    }

    /// <summary>A task was asked for. Costs next to nothing when its kind is known.</summary>
    public void Remember(Job job)
    {
        var kinds = Volatile.Read(ref _kinds);
        foreach (var kind in kinds)
        {
            if (kind.GetType() == job.GetType() && ReferenceEquals(kind.Function, job.Function))
                return;
        }

        if (kinds.Length < Most && DelegateCodec.IsStateless(job.Function))
            ThreadPool.UnsafeQueueUserWorkItem(_ => Add(job), null);
    }

    /// <summary>It could not be rehearsed: no other worker shall try.</summary>
    public void Forget(Job kind)
    {
        lock (_gate)
        {
            _failed.Add(kind.Function);
            _kinds = [.. _kinds.Where(each => each != kind)];
        }

        lock (SharedGate)
            Volatile.Write(ref _ofProcess, [.. _ofProcess.Where(each => !IsSame(each, kind))]);
    }

    void Add(Job job)
    {
        var blank = job.Blank();
        lock (_gate)
        {
            if (_kinds.Length >= Most || _failed.Contains(job.Function) || _kinds.Any(kind => IsSame(kind, job)))
                return;
            _kinds = [.. _kinds, blank];
        }

        Share(blank);
        rehearse(blank);
    }

    // What may be unloaded is not held: the list lives as long as the process.
    static void Share(Job blank)
    {
        if (blank.Function.Method.Module.Assembly.IsCollectible || blank.GetType().IsCollectible)
            return;
        lock (SharedGate)
            Volatile.Write(ref _ofProcess, [.. _ofProcess.Where(kind => !IsSame(kind, blank)).TakeLast(Most - 1), blank]);
    }

    static bool IsSame(Job one, Job other) => one.GetType() == other.GetType() && one.Function.Equals(other.Function);
}
