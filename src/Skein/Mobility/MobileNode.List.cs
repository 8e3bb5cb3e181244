namespace Skein;

/// <summary>A mobile process as its node sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Peer">Where it is on its way to, or from, and may run already; null where it is here.</param>
sealed record MobileStatus(string Id, string? Peer)
{
    /// <summary>The function that it was started with; empty where that is not known here.</summary>
    public string Name { get; init; } = "";

    /// <summary>running, waiting, moving.</summary>
    public string State { get; init; } = "moving";

    /// <summary>How often it has moved.</summary>
    public int? Hops { get; init; }
}

public sealed partial class MobileNode
{
    /// <summary>The processes that are here, and those of which nobody here knows whether they run at another node.</summary>
    internal IEnumerable<MobileStatus> List()
    {
        foreach (var process in _residents.Values)
        {
            yield return new(process.Id, null)
            {
                Name = ProcessName.Of(process.State.Root),
                State = process.IsParked ? "waiting" : _handovers.IsLeaving(process.Id) ? "moving" : "running",
                Hops = process.State.Hops,
            };
        }
        foreach (var (process, peer) in _handovers.InDoubt)
            yield return new(process, peer);
    }
}
