using System.Runtime.InteropServices;

namespace Skein.Serve;

/// <summary>SIGTERM and SIGINT drain and end, the second of them ends at once.</summary>
sealed class EndSignals : IDisposable
{
    readonly PreforkMaster _master;
    readonly CancellationTokenSource _stopped = new();
    readonly PosixSignalRegistration[] _registrations;
    int _asked;

    public EndSignals(PreforkMaster master)
    {
        _master = master;
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop), PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop)];
    }

    /// <summary>The server is to end, maybe before it has started.</summary>
    public CancellationToken Stopped => _stopped.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopped.Dispose();
    }

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stopped.Cancel();
        _ = _master.StopAsync(now: Interlocked.Increment(ref _asked) > 1);
    }
}
