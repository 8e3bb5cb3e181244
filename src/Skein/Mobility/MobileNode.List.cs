namespace Skein;

/// <summary>A mobile process as its node sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Peer">Where it is on its way to, or from, and may run already; null where it is here.</param>
sealed record MobileStatus(string Id, string? Peer);

public sealed partial class MobileNode
{
    /// <summary>The processes that are here, and those of which nobody here knows whether they run at another node.</summary>
    internal IEnumerable<MobileStatus> List()
    {
        foreach (var process in _residents.Values)
            yield return new(process.Id, null);
        foreach (var (process, peer) in _handovers.InDoubt)
            yield return new(process, peer);
    }
}
