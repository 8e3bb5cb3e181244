using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>A call in the middle of a function of another build, as an image tells of it: at which await it is, what for, and its locals by name.</summary>
/// <param name="function">Its state machine, of the build that it comes from.</param>
/// <param name="was">The class of that build whose place another has taken.</param>
sealed class OldCall(Type function, Func<Type, Type?> was)
{
    readonly List<(string Name, Type Type, object? Value)> _locals = [];
    readonly List<object> _closures = [];   // their fields are read later
    readonly List<Delegate> _lambdas = [];

    /// <summary>Its state machine, of the build that it comes from.</summary>
    public Type Function => function;

    /// <summary>The first is 1.</summary>
    public int Await { get; private set; }

    /// <summary>What it waits for.</summary>
    public MobileFrame? Callee { get; private set; }

    /// <summary>Locals and parameters of this name; several where blocks beside each other have one each. Those that a lambda has captured stand in its closure.</summary>
    public IEnumerable<(Type Type, object? Value)> Locals(string name)
    {
        var captured = _closures.SelectMany(static closure => Captured(closure, ClosureScan.Everything))
            .Concat(_lambdas.Where(IsOfFunction).SelectMany(static lambda => Captured(lambda.Target!, ClosureScan.Of(lambda.Method))))
            .DistinctBy(static variable => (RuntimeHelpers.GetHashCode(variable.Closure), variable.Field));
        return _locals.Where(local => local.Name == name).Select(static local => (local.Type, local.Value))
            .Concat(captured.Where(variable => SourceNames.OfField(variable.Field.Name) == name).Select(static variable => (variable.Field.FieldType, variable.Field.GetValue(variable.Closure))));
    }

    public void Set(string field, Type type, object? value)
    {
        if (field == "<>1__state")
            Await = (int)value! + 1;
        else if (value is IMobileAwaiter { Callee: { } callee })
            Callee = callee;
        else if (SourceNames.OfField(field) is { } name)
            AddLocal(name, type, value);
        else if (value is not null && IsClosure(value.GetType()))
            _closures.Add(value);
    }

    void AddLocal(string name, Type type, object? value)
    {
        _locals.Add((name, type, value));
        if (value is Delegate lambda)
            _lambdas.Add(lambda);
    }

    /// <summary>In release builds it is the lambda alone that holds what it has captured. Both names have the place of the method in its class: one that came from elsewhere has another.</summary>
    bool IsOfFunction(Delegate lambda)
    {
        var place = function.Name.LastIndexOf(">d__", StringComparison.Ordinal) is > 0 and var at ? function.Name[(at + 4)..] : "-";
        return lambda.Target is { } closure && was(closure.GetType()) is { } type && type.DeclaringType == function.DeclaringType
            && type.Name.StartsWith($"<>c__DisplayClass{place}_", StringComparison.Ordinal);
    }

    /// <summary>The variables of a closure, and of those around it, that a lambda reads: the others have not travelled.</summary>
    static IEnumerable<(object Closure, FieldInfo Field)> Captured(object closure, ClosureScan lambda)
    {
        foreach (var field in closure.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (SourceNames.OfField(field.Name) is not null)
            {
                if (lambda.Reads(field))
                    yield return (closure, field);
            }
            else if (field.GetValue(closure) is { } outer && IsClosure(outer.GetType()))
            {
                foreach (var variable in Captured(outer, lambda))
                    yield return variable;
            }
        }
    }

    static bool IsClosure(Type type) => type.Name.StartsWith("<>c__DisplayClass", StringComparison.Ordinal) && !type.IsAssignableTo(typeof(IAsyncStateMachine));
}

/// <summary>Reads the state machine of such a call: what was written as the fields of a class (Debug), or of a struct (Release).</summary>
/// <param name="function">The class or struct.</param>
/// <param name="map">What takes the place of a type.</param>
/// <param name="was">Of what a type has taken the place.</param>
sealed class OldCallCodec(Type function, Func<Type, Type> map, Func<Type, Type?> was) : Codec(function)
{
    readonly Field[] _fields = Array.ConvertAll(Field.Of(function), field => field.As(map(field.Info.FieldType)));

    public OldCall NewCall() => new(Type, was);

    public override object ReadHead(GraphReader reader) => NewCall();

    public override void ReadBody(GraphReader reader, object value) => Read(reader, (OldCall)value);

    public OldCall Read(GraphReader reader, OldCall call)
    {
        foreach (var field in _fields)
            call.Set(field.Info.Name, field.Type, field.ReadValue(reader));
        return call;
    }
}
