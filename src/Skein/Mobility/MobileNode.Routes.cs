using System.Buffers;

namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>What passes between processes is copied, also where both are at one node: so it is the same wherever they are.</summary>
    internal static T Copy<T>(T value)
    {
        if (value is null or string || typeof(T).IsPrimitive)
            return value;
        var bytes = new ArrayBufferWriter<byte>();
        GraphCodec.Encode(value, bytes);
        return GraphCodec.Decode<T>(bytes.WrittenMemory);
    }

    /// <summary>To a process wherever it is; from any thread. Letters to one that has ended are lost.</summary>
    internal void Deliver(string id, InboxItem item)
    {
        if (Locate(id) is { } process)
            process.Post(item);
        else
            item.Miss(id);
    }

    /// <summary>Where it is. One that is on its way takes what is posted along.</summary>
    internal Resident? Locate(string id)
    {
        if (_residents.TryGetValue(id, out var resident))
            return resident;
        Location? last = null;
        while (HomeOf(id) is { } home && home._started.TryGetValue(id, out var location) && location != last)
        {
            if (location.At._residents.TryGetValue(id, out resident))
                return resident;
            last = location;   // it has left there since we looked, or has ended: then it is still said to be there
        }
        return null;
    }

    /// <summary>A process comes from another node. Its objects are made before the other lets go of it; it runs when that has.</summary>
    internal Resident Accept(byte[] image, out Action? finish)
    {
        (var state, finish) = MobileImage.Read(image, this);
        state.Hops++;
        return new(this, state);
    }

    /// <exception cref="CannotMoveException">There is no such node.</exception>
    internal MobileNode Peer(string name, string process) => _peers.TryGetValue(name, out var peer) ? peer
        : throw new CannotMoveException($"Mobile process {process} stays at node {Name}: that is connected with no node named {name}{(_peers.IsEmpty ? "" : $", only with {string.Join(", ", _peers.Keys.Order())}")}.");

    /// <summary>A process has ended here, or goes on elsewhere.</summary>
    internal void Left(Resident process, Resident? there)
    {
        if (there is not null)
        {
            there.Node.Settle(there);
            if (Home(process) is { } home && home._started.TryGetValue(process.Id, out var started))
            {
                started.Handle.Node = there.Node.Name;
                home._started[process.Id] = new(started.Handle, there.Node);
            }
        }
        _residents.TryRemove(new(process.Id, process));
    }

    /// <summary>Its end is heard once the store has forgotten it: nobody who knows of it sees it start again.</summary>
    internal async Task EndAsync(Resident process, MobileOutcome outcome)
    {
        if (process.State.IsStored && Store is not null)
        {
            try
            {
                await process.SaveAsync(null).ConfigureAwait(false);
            }
            catch (Exception e)   // a full disk, a store that was closed
            {
                outcome = MobileOutcome.Failed(new IOException($"Mobile process {process.Id} ended, but the store still has it, and would restore it: {e.Message}", e));
            }
        }
        Fastened.Release(process.Id);
        foreach (var owner in process.State.Owners ?? [])
            _ = ReleaseAsync(owner, process.Id);
        if (Home(process) is not { } home || !home._started.TryRemove(process.Id, out var started))
            return;
        if (home != this)
            outcome = Send(outcome);
        started.Handle.Complete(outcome);
    }

    static MobileOutcome Send(MobileOutcome outcome)
    {
        try
        {
            return Copy(outcome);
        }
        catch (Exception e) when (e is CannotTravelException or MessageTooLargeException)
        {
            return MobileOutcome.Failed(e);
        }
    }

    MobileNode? Home(Resident process) => process.State.Home == Name ? this : _peers.GetValueOrDefault(process.State.Home);

    MobileNode? HomeOf(string id)
    {
        if (_started.ContainsKey(id))
            return this;
        foreach (var peer in _peers.Values)
        {
            if (peer._started.ContainsKey(id))
                return peer;
        }
        return null;
    }
}
