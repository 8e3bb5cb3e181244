using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>
/// Ctrl-C, SIGTERM and SIGHUP while jobs run: the first stops gracefully, the second forcefully, the third ends this process. A terminal that
/// is closed is nobody's second wish: its shell, the kernel and the session each send a SIGHUP.
/// </summary>
sealed class Interruption : IDisposable
{
    readonly Action _stop, _kill;
    readonly PosixSignalRegistration[] _registrations;
    int _count;

    public Interruption(Action stop, Action kill)
    {
        _stop = stop;
        _kill = kill;
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, Handle))];
    }

    /// <summary>130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; null while there was none.</summary>
    public int? ExitCode { get; private set; }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    void Handle(PosixSignalContext context)
    {
        ExitCode ??= Cli.ExitCode.OfSignal(context.Signal switch
        {
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGHUP => 1,
            _ => 15,
        });
        var isHangUp = context.Signal == PosixSignal.SIGHUP;
        var count = isHangUp ? Interlocked.CompareExchange(ref _count, 1, 0) + 1 : Interlocked.Increment(ref _count);
        context.Cancel = isHangUp || count <= 2;
        if (count == 1)
        {
            Try(_stop);   // before it is said: that waits where nobody reads what a job prints
            Messages.Note("stopping what runs; once more ends it at once.");
        }
        else if (count == 2 && !isHangUp)
        {
            Try(_kill);
        }
    }

    static void Try(Action act)
    {
        try
        {
            act();
        }
        catch (ObjectDisposedException)
        {
            // What is to be stopped has ended in this moment.
        }
    }
}
