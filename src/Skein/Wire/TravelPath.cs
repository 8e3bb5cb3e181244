using System.Collections;
using System.Reflection;
using System.Text;

namespace Skein;

/// <summary>
/// The way from what was sent to the thing that cannot travel, in the names of the source. A second, slower walk over the graph, only
/// done when the writer has refused.
/// </summary>
static class TravelPath
{
    /// <summary>Objects looked at before the search is given up.</summary>
    const int MaxObjects = 1_000_000;

    sealed record Step(object Value, Step? From, string Edge);

    public static CannotTravelException Explain(Refusal refusal, object? root)
    {
        var path = root is null ? null : Find(root, refusal);
        return new(path ?? "value", refusal.Type, refusal.Message, refusal.Culprit);
    }

    static string? Find(object root, Refusal refusal)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { root };
        var steps = new Queue<Step>([new(root, null, root is Delegate ? "" : "value")]);
        var isCall = root.GetType().Assembly == typeof(TravelPath).Assembly && root is not (Delegate or ITravelSteps);   // a job: a function and its arguments
        while (steps.TryDequeue(out var step))
        {
            try
            {
                if (step.From is null && Hits(root, refusal))
                    return "value";
                foreach (var (edge, value) in isCall && step.From is null ? CallEdges(root) : Edges(step.Value))
                {
                    if (value is null)
                        continue;
                    var next = new Step(value, step, edge);
                    if (Hits(value, refusal))
                        return Render(next, isCall);
                    if (value is string or Type || value.GetType().IsPrimitive || !seen.Add(value))   // structs too: a box may hold itself
                        continue;
                    if (seen.Count > MaxObjects)
                        return null;
                    steps.Enqueue(next);
                }
            }
            catch (Exception)
            {
                // Code of collections and of the application: an ImmutableArray that was never set, a set that changes meanwhile. The way is looked for elsewhere.
            }
        }
        return null;
    }

    static bool Hits(object value, Refusal refusal) =>
        refusal.Culprit is { } culprit && !culprit.GetType().IsValueType ? ReferenceEquals(value, culprit)
        : value.GetType() == refusal.Type && (refusal.Culprit is null || value.Equals(refusal.Culprit));

    /// <summary>The fields of a job: its functions go without a name, its other values are arguments.</summary>
    static IEnumerable<(string Edge, object? Value)> CallEdges(object job)
    {
        var argument = 0;
        foreach (var field in FieldsOf(job.GetType()))
        {
            var value = field.GetValue(job);
            yield return value is Delegate ? ("", value) : ($"argument {++argument}", value);
        }
    }

    static IEnumerable<(string Edge, object? Value)> Edges(object value)
    {
        switch (value)
        {
            case ITravelSteps named:
                foreach (var step in named.Steps)
                    yield return step;
                yield break;
            case Delegate function:
                foreach (var one in function.GetInvocationList())
                    yield return (one.Target is { } target && IsCompilerMade(target.GetType()) ? "closure" : "target", one.Target);
                yield break;
            case Array array when IsBlock(array):
                yield break;
            case Task { IsCompletedSuccessfully: true }:
            case IDictionary when TypePolicy.IsFramework(value.GetType().Assembly):
                if (value is not IDictionary dictionary)
                {
                    yield return (".Result", value.GetType().GetProperty("Result")?.GetValue(value));
                    yield break;
                }
                foreach (DictionaryEntry entry in dictionary)
                {
                    yield return ($"[{(entry.Key is string or int ? entry.Key : SourceNames.Of(entry.Key.GetType()))}]", entry.Value);
                    yield return (".Keys[]", entry.Key);
                }
                yield break;
            case IEnumerable items when value is Array || (value is ICollection && TypePolicy.IsFramework(value.GetType().Assembly)):
                var i = 0;
                foreach (var item in items)
                    yield return ($"[{i++}]", item);
                yield break;
        }
        var isClosure = ClosureCodec.IsClosure(value.GetType());
        foreach (var field in FieldsOf(value.GetType()))
        {
            if (SourceNames.OfField(field.Name) is { } name)
                yield return ($".{name}", field.GetValue(value));
            else
                yield return (isClosure || IsCompilerMade(field.FieldType) ? "" : "", field.GetValue(value));
        }
    }

    /// <summary>It is copied as it is, so that nothing in it can have been refused; and it may be long.</summary>
    static bool IsBlock(Array array) => array.GetType().GetElementType() is { IsValueType: true } element && ValueCodec.For(element).IsBlock;

    static bool IsCompilerMade(Type type) => type.Name.StartsWith('<');

    static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        for (var at = type; at is not null && at != typeof(object); at = at.BaseType)
        {
            foreach (var field in at.GetFields(Own))
            {
                if (!field.FieldType.IsPointer && !field.IsDefined(typeof(TransientAttribute)))
                    yield return field;
            }
        }
    }

    /// <summary><c>closure.logger._stream</c>, <c>argument 1 → items[3]._log</c>.</summary>
    static string Render(Step end, bool isCall)
    {
        var edges = new Stack<string>();
        var name = "";
        for (var step = end; step is not null; step = step.From)
        {
            if (step.Value is ITravelSteps named && step != end)
            {
                name = named.Name;
                break;
            }
            edges.Push(step.Edge);
        }
        if (isCall)
            edges.Pop();
        var path = new StringBuilder(name);
        var afterArgument = name.Length > 0;
        foreach (var edge in edges)
        {
            if (edge.Length == 0)
                continue;
            if (path.Length > 0 && edge is "closure" or "target")
                path.Append(" → ");
            else if (afterArgument)
                path.Append(" → ");
            path.Append(path.Length == 0 || afterArgument ? edge.TrimStart('.') : edge);
            afterArgument = edge.StartsWith("argument ", StringComparison.Ordinal) || edge.StartsWith("local ", StringComparison.Ordinal);
        }
        return path.Length == 0 ? "function" : path.ToString();   // the function of a call itself
    }
}
