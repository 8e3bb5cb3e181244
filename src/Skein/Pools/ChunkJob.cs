namespace Skein;

/// <summary>Several inputs of a mapping in one call: what a call costs is shared by them. Each still fails for itself.</summary>
abstract class ChunkJob<T, TResult>(T[] inputs) : Job
{
    /// <summary>Calls the function for one input.</summary>
    protected abstract ValueTask<TResult> InvokeAsync(T input);

    public sealed override void Execute(in Reply reply)
    {
        var values = new TResult[inputs.Length];
        List<ChunkFault>? faults = null;
        for (var i = 0; i < inputs.Length; i++)
        {
            reply.StartItem(i);
            try
            {
                var running = InvokeAsync(inputs[i]);
                values[i] = running.IsCompletedSuccessfully ? running.Result : running.AsTask().GetAwaiter().GetResult();
            }
            catch (Exception error)
            {
                (faults ??= []).Add(new(i, FaultRecord.Of(error)));
            }
        }

        try
        {
            reply.Return(new ChunkResult<TResult> { Values = values, Faults = faults?.ToArray() });
        }
        catch (CannotTravelException)
        {
            reply.Return(new ChunkResult<TResult> { Values = values, Faults = [.. faults ?? [], .. Refuse(values)] });
        }
    }

    public sealed override void Rehearse(in Reply reply)
    {
        base.Rehearse(reply);
        reply.Return(new ChunkResult<TResult> { Values = new TResult[1] });
    }

    // Some results cannot travel: the others shall.
    static IEnumerable<ChunkFault> Refuse(TResult[] values)
    {
        var scratch = new System.Buffers.ArrayBufferWriter<byte>();
        for (var i = 0; i < values.Length; i++)
        {
            CannotTravelException? refusal = null;
            try
            {
                scratch.ResetWrittenCount();
                GraphCodec.Encode(values[i], scratch);
            }
            catch (CannotTravelException refused)
            {
                refusal = refused;
                values[i] = default!;
            }

            if (refusal is not null)
                yield return new(i, FaultRecord.Of(refusal));
        }
    }

    /// <summary>Runs all here, in order.</summary>
    public async Task<ChunkResult<TResult>> RunHereAsync(Action<int>? startItem)
    {
        var values = new TResult[inputs.Length];
        List<(int, Exception)> errors = [];
        for (var i = 0; i < inputs.Length; i++)
        {
            startItem?.Invoke(i);
            try
            {
                values[i] = await InvokeAsync(inputs[i]).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                errors.Add((i, error));
            }
        }

        return new() { Values = values, Errors = errors };
    }
}

/// <summary>What a chunk returns: values, and faults by position.</summary>
sealed class ChunkResult<TResult>
{
    public TResult[] Values = [];
    public ChunkFault[]? Faults;

    public List<(int Position, Exception Error)>? Errors;
}

sealed record ChunkFault(int Position, FaultRecord Fault);

sealed class SyncChunkJob<T, TResult>(Func<T, TResult> function, T[] inputs) : ChunkJob<T, TResult>(inputs)
{
    public static Func<T[], ChunkJob<T, TResult>> Of(Func<T, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return inputs => new SyncChunkJob<T, TResult>(function, inputs);
    }

    public override Delegate Function => function;

    protected override ValueTask<TResult> InvokeAsync(T input) => new(function(input));
}

sealed class TaskChunkJob<T, TResult>(Func<T, Task<TResult>> function, T[] inputs) : ChunkJob<T, TResult>(inputs)
{
    public static Func<T[], ChunkJob<T, TResult>> Of(Func<T, Task<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return inputs => new TaskChunkJob<T, TResult>(function, inputs);
    }

    public override Delegate Function => function;

    protected override ValueTask<TResult> InvokeAsync(T input) => new(function(input));
}

sealed class ValueTaskChunkJob<T, TResult>(Func<T, ValueTask<TResult>> function, T[] inputs) : ChunkJob<T, TResult>(inputs)
{
    public static Func<T[], ChunkJob<T, TResult>> Of(Func<T, ValueTask<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return inputs => new ValueTaskChunkJob<T, TResult>(function, inputs);
    }

    public override Delegate Function => function;

    protected override ValueTask<TResult> InvokeAsync(T input) => function(input);
}
