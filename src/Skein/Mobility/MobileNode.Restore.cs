using System.Collections.Concurrent;

namespace Skein;

public sealed partial class MobileNode
{
    readonly ConcurrentDictionary<string, Task> _removals = new();   // from the store, of processes that have left

    /// <summary>
    /// After a restart: all that the node's store has goes on, each process at its last checkpoint. Of one that was on its way when the node
    /// ended the other node is asked where it is to run. Before the first connection.
    /// </summary>
    /// <returns>The processes that go on here at once.</returns>
    /// <exception cref="InvalidOperationException">The node has no store.</exception>
    /// <exception cref="InvalidDataException">What is stored is no image of a mobile process, or one that was made with a version of .NET whose collections have other fields.</exception>
    /// <exception cref="ModuleVersionException">It is of another build of the application.</exception>
    public async Task<IReadOnlyList<MobileProcess>> RestoreAsync(CancellationToken cancellation = default)
    {
        if (Store is null)
            throw new InvalidOperationException($"Node {Name} has no store: make it with one.");
        var restored = new List<MobileProcess>();
        foreach (var (id, stored) in await Store.ReadAsync(cancellation).ConfigureAwait(false))
        {
            var bytes = stored.ToArray();
            if (HandoverRecord.Read(bytes) is { } record)
                GoOn(id, record);
            else if (GoOn(Read(bytes)) is { } process)
                restored.Add(process);
        }
        return restored;
    }

    /// <summary>
    /// From an image, where it is not known what the process gives, and whether it still runs: whoever knows of it is asked before.
    /// </summary>
    /// <param name="limit">How long the answer may take.</param>
    /// <exception cref="InvalidOperationException">It runs, or has ended.</exception>
    /// <exception cref="CannotMoveException">It is somewhere, and does not answer; or it needs a resource that this node does not have.</exception>
    internal async Task<MobileProcess> RestoreAsync(byte[] image, TimeSpan limit)
    {
        var (state, finish) = ReadLiving(image);
        try
        {
            if (!_residents.ContainsKey(state.Id) && !_started.ContainsKey(state.Id) && IsKnown(state.Id) && await WhereAsync(state.Id, limit).ConfigureAwait(false) is { } node)
                throw new InvalidOperationException($"Mobile process {state.Id} is at node {node} and has not ended: two of it must not run.");
        }
        catch
        {
            state.Discard();
            throw;
        }
        return Restore(state, finish, static (node, state) => state.Root!.NewHandle(node, state.Id));
    }

    /// <summary>The node where a process runs. Null: it has ended, or was lost.</summary>
    async Task<string?> WhereAsync(string id, TimeSpan limit)
    {
        try
        {
            return (await AskAsync(id, AskKind.Inspect, "", "does not say whether it runs", limit, CancellationToken.None).ConfigureAwait(false)).Text;
        }
        catch (CannotMoveException e) when (e.IsEnd)
        {
            return null;
        }
        catch (NodeLostException)
        {
            return null;
        }
    }

    /// <summary>Null where it has ended.</summary>
    MobileProcess? GoOn((MobileState, Action?) process)
    {
        var (state, finish) = process;
        if (!state.HasEnded)
            return Restore(state, finish, static (node, state) => state.Root!.NewHandle(node, state.Id));
        state.Gone();
        Keep(state, Task.CompletedTask);
        return null;
    }

    void GoOn(string id, HandoverRecord record)
    {
        if (record.Image is null)
        {
            _went[id] = new(record.Peer, 0);
            _handovers.GoOn(record, new GoneProcess(this, id));
        }
        else
        {
            _handovers.GoOn(record, id, Make(Read(record.Image), isToBeStored: true));
        }
    }

    ComingProcess Make((MobileState, Action?) process, bool isToBeStored)
    {
        var (state, finish) = process;
        state.Hops++;
        return new(new(this, state, _removals.GetValueOrDefault(state.Id)), finish, isToBeStored);
    }

    /// <summary>The store need not have a process any more that is not here. If it comes back, it is stored after this.</summary>
    /// <param name="removal">Its end, or its failure.</param>
    /// <param name="over">Ends with it.</param>
    internal async Task ForgetAsync(string id, Task removal, Task over)
    {
        _removals[id] = over;
        try
        {
            await removal.ConfigureAwait(false);
        }
        finally
        {
            _removals.TryRemove(new(id, over));
        }
    }

    /// <summary>After a restart: a process that was given away before, and of which this node has nothing else.</summary>
    sealed class GoneProcess(MobileNode node, string id) : Leaving
    {
        public override string Id => id;

        public override byte[] Image => [];

        public override string StoredIn => "";

        public override Task StoreAsync(byte[]? record) => new Resident(node, new(id, node.Name)).StoreAsync(record);

        public override void Stay(string why)
        {
        }

        public override void Leave(string peer, Action sayGo)
        {
        }

        public override void Arrive()
        {
        }

        public override void Lose(string why)
        {
        }
    }
}
