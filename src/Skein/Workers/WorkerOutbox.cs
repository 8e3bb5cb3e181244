namespace Skein;

/// <summary>The worker's sending end. Any thread of the worker may send: the function's own, and those it started.</summary>
sealed class WorkerOutbox(WorkerLink link)
{
    readonly Lock _gate = new();
    readonly GraphWriter _writer = new(new GraphSession());

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
            link.Send(_writer.Written.Span);
        }
    }

    /// <summary>Tells which item of a chunk runs from now on; -1: that the call itself is started.</summary>
    public void Show(int slot, int item)
    {
        if (!link.Show(item))
            SendNumbers(WorkerFrame.Item, (ulong)slot, (ulong)(item + 1), 0);
    }

    /// <summary>Says what this process has used: its last words.</summary>
    public void SendUse(ResourceUse use) =>
        SendNumbers(WorkerFrame.Use, (ulong)use.UserTime.TotalMicroseconds, (ulong)use.SystemTime.TotalMicroseconds, (ulong)use.PeakResidentBytes);

    void SendNumbers(WorkerFrame kind, ulong first, ulong second, ulong third)
    {
        lock (_gate)
        {
            _writer.Begin();
            _writer.WriteByte((byte)kind);
            _writer.WriteNumber(first);
            _writer.WriteNumber(second);
            _writer.WriteNumber(third);
            link.Send(_writer.Written.Span);
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
                link.Send(_writer.Written.Span);
            if (kind is WorkerFrame.Result or WorkerFrame.Fault)
                Call++;
        }
    }
}
