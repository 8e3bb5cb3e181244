namespace Skein;

/// <summary>Starts a process at the node that is asked. It belongs to that node, and outlives whoever asks.</summary>
/// <param name="guest">The name of whoever asks: its code may be needed.</param>
/// <param name="start">What to start, as bytes.</param>
/// <param name="isHeard">Whether whoever asks will want to know how it ends.</param>
sealed class StartRequest(string guest, byte[] start, bool isHeard) : NodeRequest<StartedProcess>
{
    protected override ValueTask<StartedProcess> RunAsync(MobileNode node) => node.StartForAsync(guest, start, isHeard);
}

/// <param name="Id">Of the process.</param>
/// <param name="OsProcessId">Of the node that it belongs to.</param>
sealed record StartedProcess(string Id, int OsProcessId);

/// <summary>How a process has ended that whoever asks has started; answered when it has.</summary>
sealed class OutcomeRequest(string process) : NodeRequest<byte[]>
{
    protected override ValueTask<byte[]> RunAsync(MobileNode node) => node.OutcomeForAsync(process);
}

/// <summary>Asks a process to end, or ends it.</summary>
sealed class EndRequest(string process, bool isForced) : NodeRequest<bool>
{
    protected override ValueTask<bool> RunAsync(MobileNode node)
    {
        node.Deliver(process, isForced ? new KillRequest() : new StopRequest());
        return new(true);
    }
}
