namespace Skein;

/// <summary>
/// The kinds of tasks that a pool has been given, for its spares: most of what a worker's first task of a kind costs is loading and
/// compiling, and a spare has the time for that. Only functions without state are kept, and no arguments.
/// </summary>
/// <param name="rehearse">Is told of each new kind, on a thread of its own.</param>
sealed class Rehearsals(Action<Job> rehearse)
{
    // A spare compiles each in a few milliseconds; who has more kinds of tasks than that is better off with its spare early.
    const int Most = 16;

    readonly Lock _gate = new();
    readonly HashSet<Delegate> _failed = [];
    Job[] _kinds = [];

    /// <summary>One job of each kind, without arguments.</summary>
    public IReadOnlyList<Job> Kinds => Volatile.Read(ref _kinds);

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
    }

    void Add(Job job)
    {
        var blank = job.Blank();
        lock (_gate)
        {
            if (_kinds.Length >= Most || _failed.Contains(job.Function) || _kinds.Any(kind => kind.GetType() == job.GetType() && kind.Function.Equals(job.Function)))
                return;
            _kinds = [.. _kinds, blank];
        }

        rehearse(blank);
    }
}
