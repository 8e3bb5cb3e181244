using System.Collections.Concurrent;

namespace Skein;

// Guests are programs that start processes at this node and are no nodes themselves.
public sealed partial class MobileNode
{
    readonly ConcurrentDictionary<string, GuestProcess> _ofGuests = new();   // that they will ask for, or do

    /// <summary>There is a connection with a node, by its name: for the first time or again.</summary>
    internal Action<string>? Reached { get; init; }

    internal async ValueTask<StartedProcess> StartForAsync(string guest, byte[] bytes, bool isHeard)
    {
        RequireOpen();
        var (start, space) = await ReadAsync(modules => GraphCodec.Decode<MobileStart>(bytes, modules), guest).ConfigureAwait(false);
        try
        {
            return new(start.Start(this, NewHandle).Id, Environment.ProcessId);
        }
        finally
        {
            space?.Leave();   // the process has its own place in it
        }

        GuestProcess NewHandle(MobileNode node, string id)
        {
            var process = new GuestProcess(node, id, isHeard ? guest : null);
            if (isHeard)
                _ofGuests[id] = process;   // before it can end
            return process;
        }
    }

    internal async ValueTask<byte[]> OutcomeForAsync(string id)
    {
        var process = _ofGuests.GetValueOrDefault(id) ?? throw new InvalidOperationException($"Nobody was to hear at node {Name} how process {id} ends.");
        var outcome = await process.End.ConfigureAwait(false);
        _ofGuests.TryRemove(id, out _);
        return outcome;
    }

    /// <summary>It has gone, and what it has started goes on.</summary>
    void ForgetGuest(string name)
    {
        foreach (var (id, process) in _ofGuests)
        {
            if (process.Guest == name)
                _ofGuests.TryRemove(id, out _);
        }
    }

    /// <summary>A function that another program has sent.</summary>
    internal MobileProcess Start<T>(Func<Mobile<T>> function, Func<MobileNode, string, MobileProcess> newHandle, System.Reflection.Assembly module)
    {
        Mobile<T> call = default;
        return Start(module, () => (call = function()).Frame, () => new MobileOutcome<T> { Result = call.GetAwaiter().GetResult() }, newHandle);
    }

    /// <summary>The same, without a result.</summary>
    internal MobileProcess Start(Func<Mobile> function, Func<MobileNode, string, MobileProcess> newHandle, System.Reflection.Assembly module) =>
        Start(module, () => function().Frame, static () => new MobileOutcome<ValueTuple>(), newHandle);
}
