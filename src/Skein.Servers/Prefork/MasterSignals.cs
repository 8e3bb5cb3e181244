using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>What is asked of a master by signals: SIGHUP reloads, SIGTTIN adds a worker, SIGTTOU takes one away.</summary>
[SupportedOSPlatform("linux")]
sealed class MasterSignals : IDisposable
{
    readonly PreforkMaster _master;
    readonly PosixSignalRegistration[] _registrations;

    public MasterSignals(PreforkMaster master)
    {
        _master = master;
        _registrations =
        [
            On(PosixSignal.SIGHUP, () => master.ReloadAsync(CancellationToken.None)),
            On(PosixSignal.SIGTTIN, () => master.ScaleByAsync(1, CancellationToken.None)),
            On(PosixSignal.SIGTTOU, () => master.ScaleByAsync(-1, CancellationToken.None)),
        ];
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    PosixSignalRegistration On(PosixSignal signal, Func<Task> act) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        _ = ReportAsync(act());
    });

    async Task ReportAsync(Task operation)
    {
        try
        {
            await operation.ConfigureAwait(false);
        }
        catch (ServeException error)
        {
            _master.Report(error);
        }
    }
}
