namespace Skein;

/// <summary>A call that a client has made, from its arrival to its answer.</summary>
/// <param name="client">Who gets the answer.</param>
/// <param name="number">What the client calls it.</param>
/// <param name="kind">What it is a call of.</param>
/// <param name="method">The method.</param>
/// <param name="name">The object's name.</param>
/// <param name="arguments">The arguments.</param>
sealed class ObjectCall(ServedClient client, uint number, ObjectKind kind, ObjectMethod method, string name, object?[] arguments) : IDisposable
{
    readonly CancellationTokenSource _cancellation = new();

    public uint Number => number;

    public ObjectKind Kind => kind;

    public string Name => name;

    public ServedClient Client => client;

    /// <summary>Where collections among the arguments still wait for the application's own comparison of their keys.</summary>
    public GraphReader? Unfinished { get; set; }

    public void Cancel()
    {
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was answered in this moment.
        }
        catch (AggregateException error)   // of what the method has registered with its token
        {
            client.Report(this, error);
        }
    }

    /// <summary>Runs it on its object and answers, whatever happens.</summary>
    /// <param name="target">The object.</param>
    /// <param name="save">Carried out before the answer.</param>
    public async ValueTask RunAsync(object target, Func<ValueTask>? save)
    {
        try
        {
            if (_cancellation.IsCancellationRequested)   // it was withdrawn while it waited: it is never started
            {
                Refuse(ObjectFault.Canceled, "The call was cancelled.");
                return;
            }

            Unfinished?.Finish();
            var result = await method.InvokeAsync(target, arguments, _cancellation.Token).ConfigureAwait(true);
            if (save is not null)
                await save().ConfigureAwait(true);
            Answer(result);
        }
        catch (OperationCanceledException canceled) when (_cancellation.IsCancellationRequested)
        {
            Refuse(ObjectFault.Canceled, canceled.Message);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    void Answer(object? result) =>
        client.Finish(this, ObjectFrameKind.Result, (method, result), static (writer, state) => state.method.Returns.Write(writer, state.result));

    /// <summary>Answers with what was thrown.</summary>
    public void Fail(Exception error) =>
        client.Finish(
            this,
            ObjectFrameKind.Fault,
            FaultRecord.Of(error is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : error),
            static (writer, record) =>
            {
                writer.WriteByte((byte)ObjectFault.Thrown);
                writer.Write(record);
            });

    /// <summary>Answers that it was not made.</summary>
    public void Refuse(ObjectFault why, string message) =>
        client.Finish(
            this,
            ObjectFrameKind.Fault,
            (why, message),
            static (writer, state) =>
            {
                writer.WriteByte((byte)state.why);
                writer.WriteText(state.message);
            });

    public void Dispose() => _cancellation.Dispose();
}
