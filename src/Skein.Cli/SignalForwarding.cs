using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>
/// Hands the signals that this process gets on to the program it runs. After SIGINT or SIGTERM the program has the grace period to end;
/// the second of them within that time ends it at once.
/// </summary>
/// <remarks>
/// On a terminal Ctrl-C goes to the program by itself, and it may be one that goes on (a shell, an editor): then only a second Ctrl-C
/// within the grace period ends it.
/// </remarks>
sealed class SignalForwarding : IDisposable
{
    const int Hangup = 1, Interrupt = 2, Quit = 3, User1 = 10, User2 = 12, Terminate = 15, WindowChange = 28;

    static readonly (PosixSignal Signal, int Number)[] Forwarded =
    [
        (PosixSignal.SIGHUP, Hangup),
        (PosixSignal.SIGINT, Interrupt),
        (PosixSignal.SIGQUIT, Quit),
        ((PosixSignal)User1, User1),
        ((PosixSignal)User2, User2),
        (PosixSignal.SIGTERM, Terminate),
        (PosixSignal.SIGWINCH, WindowChange),
    ];

    readonly TimeSpan _grace;
    readonly bool _terminalDelivers;
    readonly PosixSignalRegistration[] _registrations;
    readonly Lock _lock = new();
    readonly Queue<int> _early = [];
    Process<int>? _process;
    long _asked;

    /// <summary>From now on no signal ends this process; what comes before there is a program waits for it.</summary>
    /// <param name="terminalDelivers">The program is in the terminal's foreground group as this process is.</param>
    public SignalForwarding(TimeSpan grace, bool terminalDelivers)
    {
        _grace = grace;
        _terminalDelivers = terminalDelivers;
        _registrations = Array.ConvertAll(Forwarded, forwarded => PosixSignalRegistration.Create(forwarded.Signal, context =>
        {
            context.Cancel = true;
            Forward(forwarded.Number);
        }));
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    public void To(Process<int> process)
    {
        lock (_lock)
        {
            _process = process;
            while (_early.TryDequeue(out var signal))
                Forward(signal);
        }
    }

    void Forward(int signal)
    {
        lock (_lock)
        {
            if (_process is null)
                _early.Enqueue(signal);
            else if (signal is Interrupt or Terminate && IsSecond())
                _process.Kill();
            else if (signal == Terminate)
                _ = _process.StopAsync(_grace);
            else if (!(_terminalDelivers && signal is Interrupt or Quit or WindowChange))
                Send(_process, signal);
        }
    }

    bool IsSecond()
    {
        var now = TimeProvider.System.GetTimestamp();
        var before = Interlocked.Exchange(ref _asked, now);
        return before != 0 && TimeProvider.System.GetElapsedTime(before, now) <= _grace;
    }

    void Send(Process<int> process, int signal)
    {
        if (process.State == ProcessState.Exited)
            return;
        process.Signal(signal);
        if (signal == Interrupt)
            _ = KillLaterAsync(process);
    }

    async Task KillLaterAsync(Process<int> process)
    {
        try
        {
            await process.Exited.WaitAsync(_grace, TimeProvider.System).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
    }
}
