namespace Skein.Cli;

/// <summary>Takes what one job's program prints. When it cannot be kept the program is stopped, and <see cref="ThrowIfFailed"/> says why.</summary>
sealed class JobSink(JobOutput output, CancellationToken stop) : IDisposable
{
    readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
    CommandFailure? _failure;

    /// <summary>Stops the program: for the cause of the caller, or for that of the sink.</summary>
    public CancellationToken Stop => _stop.Token;

    public void Output(ReadOnlySpan<byte> bytes) => Take(output.Output, bytes);

    public void Error(ReadOnlySpan<byte> bytes) => Take(output.Error, bytes);

    public void ThrowIfFailed()
    {
        if (_failure is not null)
            throw _failure;
    }

    public void Dispose() => _stop.Dispose();

    void Take(OutputBuffer buffer, ReadOnlySpan<byte> bytes)
    {
        if (_failure is not null)
            return;
        try
        {
            buffer.Append(bytes);
        }
        catch (CommandFailure failure)
        {
            _failure = failure;
            _stop.Cancel();
        }
    }
}
