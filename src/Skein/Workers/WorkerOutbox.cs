using System.Runtime.Versioning;

namespace Skein;

/// <summary>The worker's sending end. Any thread of the worker may send: the function's own, and those it started.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerOutbox(Ring results)
{
    readonly Lock _gate = new();
    readonly GraphWriter _writer = new(new GraphSession());
    readonly RingSender _sender = new(results);

    /// <summary>Says that the worker is ready, and which program it is. In plain numbers: nothing of the codec need be compiled for it.</summary>
    public void SendReady(string module, UInt128 version)
    {
        lock (_gate)
        {
            _writer.Begin();
            _writer.WriteByte((byte)WorkerFrame.Ready);
            _writer.WriteNumber((ulong)Environment.ProcessId);
            _writer.WriteNumber(0);
            _writer.WriteText(module);
            _writer.WriteNumber((ulong)version);
            _writer.WriteNumber((ulong)(version >> 64));
            _sender.Send(_writer.Written.Span);
        }
    }

    /// <summary>Which call runs: what belongs to another one is over.</summary>
    public int Call { get; private set; }

    /// <summary>As <see cref="Send"/>, unless the call that it belongs to has ended: then false, and nothing is sent.</summary>
    public bool SendDuring<T>(int call, WorkerFrame kind, int first, ulong second, T value)
    {
        lock (_gate)
        {
            if (call != Call)
                return false;
            Send(kind, first, second, value);
            return true;
        }
    }

    /// <summary>Sends kind, two numbers and a value; in a rehearsal, does all but send them.</summary>
    /// <exception cref="CannotTravelException">The value belongs to this process; nothing was sent.</exception>
    public void Send<T>(WorkerFrame kind, int first, ulong second, T value, bool isRehearsal = false)
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

            if (isRehearsal)
                _writer.Abandon();
            else
                _sender.Send(_writer.Written.Span);
            if (kind is WorkerFrame.Result or WorkerFrame.Fault)
                Call++;
        }
    }
}
