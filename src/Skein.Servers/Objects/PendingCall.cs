namespace Skein;

/// <summary>A call that a client has sent, or is about to send, and its result to be.</summary>
abstract class PendingCall
{
    CancellationTokenRegistration _cancellation;

    /// <summary>Completes it with a result that the server has sent.</summary>
    public abstract void Complete(GraphReader reader);

    public abstract void Fail(Exception error);

    public abstract void Cancel(CancellationToken cancellation);

    public void CancelWith(Action canceled, CancellationToken cancellation) =>
        _cancellation = cancellation.UnsafeRegister(
            _ =>
            {
                Cancel(cancellation);
                canceled();
            },
            null);

    protected void End() => _cancellation.Unregister();
}

/// <inheritdoc cref="PendingCall"/>
sealed class PendingCall<T> : PendingCall
{
    readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Result => _result.Task;

    public override void Complete(GraphReader reader)
    {
        var value = reader.Read<T>();
        reader.End();
        reader.Finish();
        End();
        _result.TrySetResult(value);
    }

    public override void Fail(Exception error)
    {
        End();
        _result.TrySetException(error);
    }

    public override void Cancel(CancellationToken cancellation) => _result.TrySetCanceled(cancellation);
}
