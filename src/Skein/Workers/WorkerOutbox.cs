using System.Runtime.Versioning;

namespace Skein;

/// <summary>The worker's sending end. Any thread of the worker may send: the function's own, and those it started.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerOutbox(Ring results)
{
    readonly Lock _gate = new();
    readonly GraphWriter _writer = new(new GraphSession());
    readonly RingSender _sender = new(results);

    /// <summary>Sends kind, two numbers and a value.</summary>
    /// <exception cref="CannotTravelException">The value belongs to this process; nothing was sent.</exception>
    public void Send<T>(WorkerFrame kind, int first, ulong second, T value)
    {
        lock (_gate)
        {
            _writer.Begin();
            try
            {
                _writer.WriteByte((byte)kind);
                _writer.WriteNumber((ulong)first);
                _writer.WriteNumber(second);
                _writer.Write(value);
            }
            catch
            {
                _writer.Abandon();
                throw;
            }

            _sender.Send(_writer.Written.Span);
        }
    }
}
