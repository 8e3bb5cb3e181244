using System.Runtime.InteropServices;

namespace Skein.Serve;

/// <summary>
/// SIGHUP reloads, SIGTTIN adds a worker, SIGTTOU takes one away; SIGTERM and SIGINT drain and end, the second of them ends at once.
/// </summary>
sealed class MasterSignals : IDisposable
{
    readonly PreforkMaster _master;
    readonly CancellationTokenSource _stopped = new();
    readonly PosixSignalRegistration[] _registrations;
    int _asked;

    public MasterSignals(PreforkMaster master)
    {
        _master = master;
        _registrations =
        [
            On(PosixSignal.SIGHUP, () => _ = ReportAsync(master.ReloadAsync(CancellationToken.None))),
            On(PosixSignal.SIGTTIN, () => _ = ReportAsync(master.ScaleAsync(master.Wanted + 1, CancellationToken.None))),
            On(PosixSignal.SIGTTOU, () => _ = ReportAsync(master.ScaleAsync(Math.Max(1, master.Wanted - 1), CancellationToken.None))),
            On(PosixSignal.SIGTERM, Stop),
            On(PosixSignal.SIGINT, Stop),
        ];
    }

    /// <summary>The server is to end, maybe before it has started.</summary>
    public CancellationToken Stopped => _stopped.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopped.Dispose();
    }

    static PosixSignalRegistration On(PosixSignal signal, Action act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        act();
    });

    void Stop()
    {
        _stopped.Cancel();
        _ = _master.StopAsync(now: Interlocked.Increment(ref _asked) > 1);
    }

    static async Task ReportAsync(Task operation)
    {
        try
        {
            await operation.ConfigureAwait(false);
        }
        catch (ServeException error)
        {
            await Console.Error.WriteLineAsync($"skein: {error.Message}").ConfigureAwait(false);
        }
    }
}
