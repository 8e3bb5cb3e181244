using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Skein.Analyzers;

/// <summary>Looks at each async function that returns a Mobile: methods, local functions, lambdas.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MobileAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(Rules.StaysBehind, Rules.HeldTask, Rules.MutableStatic, Rules.Blocks);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        if (context is null)
            throw new ArgumentNullException(nameof(context));
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (KnownTypes.Of(start.Compilation) is { } known)
                start.RegisterOperationBlockAction(block => Analyze(block, known));
        });
    }

    static void Analyze(OperationBlockAnalysisContext context, KnownTypes known)
    {
        foreach (var root in context.OperationBlocks)
        {
            if (root.Kind != OperationKind.Block || root.Parent is not (IMethodBodyOperation or IConstructorBodyOperation))
                continue;
            var graph = context.GetControlFlowGraph(root);
            if (context.OwningSymbol is IMethodSymbol method)
                Function(context, known, graph, method);
            Inner(context, known, graph);
        }
    }

    /// <summary>Local functions and lambdas have graphs of their own.</summary>
    static void Inner(OperationBlockAnalysisContext context, KnownTypes known, ControlFlowGraph graph)
    {
        foreach (var local in graph.LocalFunctions)
        {
            var inner = graph.GetLocalFunctionControlFlowGraph(local, context.CancellationToken);
            Function(context, known, inner, local);
            Inner(context, known, inner);
        }
        foreach (var lambda in graph.Blocks.SelectMany(Operations.Of).OfType<IFlowAnonymousFunctionOperation>())
        {
            var inner = graph.GetAnonymousFunctionControlFlowGraph(lambda, context.CancellationToken);
            Function(context, known, inner, lambda.Symbol);
            Inner(context, known, inner);
        }
    }

    static void Function(OperationBlockAnalysisContext context, KnownTypes known, ControlFlowGraph graph, IMethodSymbol method)
    {
        if (!method.IsAsync || !known.IsMobile(method.ReturnType))
            return;
        foreach (var (wait, local) in Liveness.AcrossWaits(graph, known))
        {
            var type = local is ILocalSymbol { Type: var of } ? of : ((IParameterSymbol)local).Type;
            var rule = known.IsTask(type) ? Rules.HeldTask : known.StaysBehind(type) ? Rules.StaysBehind : null;
            if (rule is not null)
                context.ReportDiagnostic(Diagnostic.Create(rule, wait.Syntax.GetLocation(), local.Name, type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)));
        }
        foreach (var operation in graph.Blocks.SelectMany(Operations.Of))
        {
            if (operation is IFieldReferenceOperation { Field: { IsStatic: true, IsReadOnly: false, IsConst: false } field })
                context.ReportDiagnostic(Diagnostic.Create(Rules.MutableStatic, operation.Syntax.GetLocation(), field.Name));
            else if (known.IsBlocking(operation))
                context.ReportDiagnostic(Diagnostic.Create(Rules.Blocks, operation.Syntax.GetLocation()));
        }
    }
}
