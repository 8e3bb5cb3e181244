namespace Skein;

/// <summary>A mobile process as a node sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Peer">Where it is on its way to, or from, and may run already; where it is, as far as this node knows; null where it is here.</param>
sealed record MobileStatus(string Id, string? Peer)
{
    /// <summary>The function that it was started with; empty where that is not known here.</summary>
    public string Name { get; init; } = "";

    /// <summary>running, waiting, moving, elsewhere.</summary>
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
            yield return StatusOf(process);
        foreach (var (process, peer) in _handovers.InDoubt)
            yield return new(process, peer);
    }

    /// <summary>One of them, or one that is elsewhere and that this node has to do with; else null.</summary>
    internal MobileStatus? Look(string id)
    {
        if (_residents.TryGetValue(id, out var process))
            return StatusOf(process);
        if (_handovers.InDoubt.Where(one => one.Id == id).Select(static one => one.Peer).FirstOrDefault() is { } peer)
            return new(id, peer);
        return (_went.GetValueOrDefault(id) ?? _adopted.GetValueOrDefault(id))?.Node is { } next ? new(id, next) { State = "elsewhere" }
            : _started.TryGetValue(id, out var location) ? new(id, location.Node) { State = "elsewhere" }
            : null;
    }

    MobileStatus StatusOf(Resident process) => new(process.Id, null)
    {
        Name = ProcessName.Of(process.State.Root),
        State = process.IsParked ? "waiting" : _handovers.IsLeaving(process.Id) ? "moving" : "running",
        Hops = process.State.Hops,
    };
}
