using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace Skein.Analyzers;

static class Operations
{
    /// <summary>All of a block, in the order in which they take effect: what an operation needs before itself.</summary>
    public static IEnumerable<IOperation> Of(BasicBlock block)
    {
        foreach (var operation in block.Operations.SelectMany(Within))
            yield return operation;
        if (block.BranchValue is { } value)
        {
            foreach (var operation in Within(value))
                yield return operation;
        }
    }

    static IEnumerable<IOperation> Within(IOperation operation)
    {
        foreach (var child in operation.ChildOperations)
        {
            foreach (var inner in Within(child))
                yield return inner;
        }
        yield return operation;
    }
}
