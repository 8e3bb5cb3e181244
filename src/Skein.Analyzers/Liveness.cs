using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Skein.Analyzers;

/// <summary>Which locals and parameters are read after a wait, by a walk backwards over the graph of control flow until nothing changes.</summary>
static class Liveness
{
    public static IEnumerable<(IAwaitOperation Wait, ISymbol Local)> AcrossWaits(ControlFlowGraph graph, KnownTypes known)
    {
        var atStart = graph.Blocks.ToDictionary(static block => block, static _ => new HashSet<ISymbol>(SymbolEqualityComparer.Default));
        bool changed;
        do
        {
            changed = false;
            foreach (var block in graph.Blocks.Reverse())
            {
                var live = AtEnd(graph, block, atStart);
                foreach (var operation in Operations.Of(block).Reverse())
                    Step(operation, live);
                if (live.Count == atStart[block].Count)
                    continue;
                atStart[block] = live;   // sets only grow
                changed = true;
            }
        }
        while (changed);

        foreach (var block in graph.Blocks)
        {
            var live = AtEnd(graph, block, atStart);
            foreach (var operation in Operations.Of(block).Reverse())
            {
                if (operation is IAwaitOperation wait && known.IsMobile(wait.Operation.Type))
                {
                    foreach (var local in live)
                        yield return (wait, local);
                }
                Step(operation, live);
            }
        }
    }

    static HashSet<ISymbol> AtEnd(ControlFlowGraph graph, BasicBlock block, Dictionary<BasicBlock, HashSet<ISymbol>> atStart)
    {
        var live = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (var next in Next(graph, block))
            live.UnionWith(atStart[next]);
        return live;
    }

    /// <summary>Where control may go from here; out of a protected region also to its handlers.</summary>
    static IEnumerable<BasicBlock> Next(ControlFlowGraph graph, BasicBlock block)
    {
        if (block.FallThroughSuccessor?.Destination is { } next)
            yield return next;
        if (block.ConditionalSuccessor?.Destination is { } other)
            yield return other;
        for (var region = block.EnclosingRegion; region is not null; region = region.EnclosingRegion)
        {
            if (region.Kind == ControlFlowRegionKind.Finally && region.LastBlockOrdinal == block.Ordinal)
            {
                // After a finally control goes where it was going, which is at least behind the whole statement.
                if (region.EnclosingRegion is { } whole && whole.LastBlockOrdinal + 1 < graph.Blocks.Length)
                    yield return graph.Blocks[whole.LastBlockOrdinal + 1];
            }
            if (region.Kind != ControlFlowRegionKind.Try || region.EnclosingRegion is not { } statement)
                continue;
            foreach (var handler in statement.NestedRegions)
            {
                if (handler != region)
                    yield return graph.Blocks[handler.FirstBlockOrdinal];
            }
        }
    }

    static void Step(IOperation operation, HashSet<ISymbol> live)
    {
        switch (operation)
        {
            case ILocalReferenceOperation local when !IsWritten(local):
                live.Add(local.Local);
                break;
            case IParameterReferenceOperation parameter when !IsWritten(parameter):
                live.Add(parameter.Parameter);
                break;
            case ISimpleAssignmentOperation { Target: ILocalReferenceOperation target, IsRef: false }:
                live.Remove(target.Local);
                break;
            case ISimpleAssignmentOperation { Target: IParameterReferenceOperation target, IsRef: false }:
                live.Remove(target.Parameter);
                break;
        }
    }

    static bool IsWritten(IOperation reference) => reference.Parent is ISimpleAssignmentOperation assignment && assignment.Target == reference;
}
