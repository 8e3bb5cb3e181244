namespace Skein.Tests.Handover;

/// <summary>The connections of a model, one between any two of its nodes: each is there or not, and breaks by itself.</summary>
sealed class ModelNetwork(ModelNode[] nodes)
{
    readonly Dictionary<(ModelNode One, ModelNode Other), (ModelConnection Near, ModelConnection Far)?> _lines =
        (from one in nodes from other in nodes where string.CompareOrdinal(one.Name, other.Name) < 0 select (one, other)).ToDictionary(static pair => pair, static _ => default((ModelConnection, ModelConnection)?));

    public IReadOnlyList<ModelNode> Nodes => nodes;

    /// <summary>Pairs of nodes that live and are not connected.</summary>
    public (ModelNode One, ModelNode Other)[] Missing => [.. _lines.Where(static line => line.Value is null && line.Key is { One.Node: not null, Other.Node: not null }).Select(static line => line.Key)];

    public (ModelNode One, ModelNode Other)[] Connected => [.. _lines.Where(static line => line.Value is not null).Select(static line => line.Key)];

    /// <summary>The ends where something arrives, and whose they are.</summary>
    public IEnumerable<(ModelNode Node, ModelConnection End)> Arriving
    {
        get
        {
            foreach (var ((one, other), line) in _lines)
            {
                if (line is not var (near, far))
                    continue;
                if (near.HasArriving)
                    yield return (one, near);
                if (far.HasArriving)
                    yield return (other, far);
            }
        }
    }

    public void Join((ModelNode One, ModelNode Other) pair) => _lines[pair] = ModelConnection.Join(pair.One.Node!.Peers, pair.Other.Node!.Peers);

    /// <summary>Of what is under way some arrives.</summary>
    public void Cut((ModelNode One, ModelNode Other) pair, Random random)
    {
        _lines[pair]!.Value.Near.Cut(random.Next(3), random.Next(3));
        Drain(pair);
        _lines[pair] = null;
    }

    /// <summary>All of a node's, which has crashed. Of what it had sent some arrives.</summary>
    public void Lose(ModelNode node, Random random)
    {
        foreach (var pair in Connected.Where(pair => pair.One == node || pair.Other == node))
        {
            var (near, far) = _lines[pair]!.Value;
            var there = pair.One == node ? far : near;
            there.Cut(random.Next(4), 0);
            while (there.HasArriving)
                there.TakeNext();
            _lines[pair] = null;
        }
    }

    /// <summary>All that is under way arrives.</summary>
    public void Drain()
    {
        while (Arriving.Any())
        {
            foreach (var pair in Connected)
                Drain(pair);
        }
    }

    void Drain((ModelNode One, ModelNode Other) pair)
    {
        var (near, far) = _lines[pair]!.Value;
        while (near.HasArriving || far.HasArriving)
        {
            if (near.HasArriving)
                near.TakeNext();
            if (far.HasArriving)
                far.TakeNext();
        }
    }
}
