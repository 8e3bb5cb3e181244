namespace Skein;

/// <summary>
/// A chunk of a mapping on its way. When its worker is lost, the input that ran is at fault and has failed; the others, whose results
/// are lost though they are innocent, are run again.
/// </summary>
sealed class Chunk<T, TResult>(long first, T[] inputs, Func<T[], ChunkJob<T, TResult>> job) : WorkItem
{
    readonly TaskCompletionSource<Chunk<T, TResult>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TResult[] _values = new TResult[inputs.Length];
    int[]? _pending;              // positions that have no outcome yet; null: all
    Exception?[]? _errors;
    readonly Lock _gate = new();  // what runs here goes on when it was given up, and may end at any time
    Dictionary<int, int>? _losses;
    HashSet<int>? _timedOut;      // positions
    ChunkJob<T, TResult>? _job;

    public Task<Chunk<T, TResult>> Completion => _completion.Task;

    public int Length => inputs.Length;

    public override Job Job => _job ??= job(_pending is null ? inputs : [.. _pending.Select(position => inputs[position])]);

    public override bool IsCompleted => _completion.Task.IsCompleted;

    public Outcome<T, TResult> this[int position] => new(first + position, inputs[position], _values[position], _errors?[position]);

    public override void Succeed(GraphReader reader)
    {
        var result = reader.Read<ChunkResult<TResult>>();
        reader.End();
        if (!TryFinish(reader))
            return;
        if (result.Values.Length != (_pending?.Length ?? inputs.Length))
            throw new InvalidDataException("A chunk came back with another number of values.");
        result.Errors = result.Faults?.Select(fault => (fault.Position, fault.Fault.ToException())).ToList();
        if (Reports is { } reports)
            reports.Add(() => Take(result));
        else
            Take(result);
    }

    public override async Task RunHereAsync(Action<int>? startItem = null)
    {
        var run = (ChunkJob<T, TResult>)Job;
        try
        {
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            var result = await run.RunHereAsync(startItem).ConfigureAwait(false);
            lock (_gate)
            {
                if (_job != run || IsCompleted)
                    return;   // it was given up: another one runs for it, or none
                Cost = (ulong)System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMicroseconds;
                Take(result);
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    public override void NoteTimedOut(int chunkItem)
    {
        lock (_gate)
            (_timedOut ??= []).Add(At(Pending(), chunkItem));
    }

    public override void Fail(Exception error)
    {
        lock (_gate)
        {
            if (IsCompleted)
                return;
            foreach (var position in Pending())
                SetError(position, error);
            Complete();
        }
    }

    public override bool TryGoOnWithout(Exception error, Func<Job, Exception?> refusal)
    {
        var pending = Pending();
        if (error is not (CannotTravelException or MessageTooLargeException) || pending.Length < 2)
            return false;
        List<int> sent = [];
        foreach (var position in pending)
        {
            if (refusal(job([inputs[position]])) is { } refused)
                SetError(position, refused);
            else
                sent.Add(position);
        }

        if (sent.Count == 0 || sent.Count == pending.Length)
            return false;   // all of them, or only all together
        _pending = [.. sent];
        _job = null;
        return true;
    }

    public override void Cancel(CancellationToken token) => Fail(new OperationCanceledException(token));

    public override bool Lose(int losses, Exception error)
    {
        lock (_gate)
        {
            if (IsCompleted)
                return false;   // in this moment
            var pending = Pending();
            if (Cancelled is not null || HandlerFailure is not null)
            {
                Fail(error);
                return false;
            }

            var victim = At(pending, LostAt);
            var lost = (_losses ??= []).GetValueOrDefault(victim);
            _losses[victim] = lost + 1;
            if (lost >= losses)
            {
                SetError(victim, error);
                pending = [.. pending.Where(position => position != victim)];
            }

            _timedOut = null;
            _pending = pending;
            _job = null;
            if (pending.Length > 0)
                return true;
            Complete();
            return false;
        }
    }

    void Take(ChunkResult<TResult> result)
    {
        // Which input's report it was is not known.
        if (HandlerFailure is { } failure)
        {
            Fail(failure);
            return;
        }

        if (_pending is null)
        {
            result.Values.CopyTo(_values, 0);
        }
        else
        {
            for (var i = 0; i < _pending.Length; i++)
                _values[_pending[i]] = result.Values[i];
        }

        var pending = result.Errors is { Count: > 0 } ? Pending() : null;
        foreach (var (position, error) in result.Errors ?? [])
            SetError(pending![position], error);
        Complete();
    }

    // -1: not known; it was lost while the chunk was read, say.
    static int At(int[] pending, int chunkItem) => pending[chunkItem >= 0 && chunkItem < pending.Length ? chunkItem : 0];

    int[] Pending() => _pending ?? [.. Enumerable.Range(0, inputs.Length)];

    void SetError(int position, Exception error)
    {
        lock (_gate)
            (_errors ??= new Exception?[inputs.Length])[position] = Explain(error, timedOut: _timedOut?.Contains(position) == true);
    }

    void Complete()
    {
        End(_errors is not null);
        _completion.TrySetResult(this);
    }
}
