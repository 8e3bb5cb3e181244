using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Which captured variables a function reads, by its IL: those of its own closure and of the closures around it, also in the lambdas,
/// local functions and state machines that it makes or calls. Where the closure itself gets out of sight, everything.
/// </summary>
sealed class ClosureScan
{
    public static readonly ClosureScan Everything = new() { IsEverything = true };

    static readonly ConcurrentDictionary<MethodInfo, ClosureScan> Scans = new();

    static readonly ConditionalWeakTable<Type, ConcurrentDictionary<MethodInfo, ClosureScan>> OfCollectible = [];   // of types that can be unloaded

    readonly List<FieldInfo> _variables = [];
    readonly HashSet<MethodBase> _seen = [];
    readonly Queue<MethodBase> _methods = new();

    public bool IsEverything { get; private init; }

    public bool Reads(FieldInfo variable) => IsEverything || Contains(variable);

    bool Contains(FieldInfo variable)
    {
        foreach (var known in _variables)
        {
            if (known.MetadataToken == variable.MetadataToken && known.Module == variable.Module)
                return true;   // of any instance of a generic closure
        }
        return false;
    }

    public static ClosureScan Of(MethodInfo method) =>
        !method.IsCollectible ? Scans.GetOrAdd(method, Make)
        : method.DeclaringType is { IsCollectible: true } type ? OfCollectible.GetValue(type, static _ => new()).GetOrAdd(method, Make)
        : Make(method);

    static ClosureScan Make(MethodInfo m)
    {
        var scan = new ClosureScan();
        scan.Follow(m);
        try
        {
            while (scan._methods.TryDequeue(out var next))
            {
                if (!scan.Read(next))
                    return Everything;
            }
        }
        catch (Exception e) when (e is ArgumentException or BadImageFormatException or TypeLoadException or FileNotFoundException or FileLoadException or NotSupportedException)
        {
            return Everything;   // a token that cannot be resolved here: nothing is known about this function
        }
        return scan;
    }

    /// <summary>False when the closure gets out of sight.</summary>
    bool Read(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return true;
        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        var inClosure = method.DeclaringType is { } declaring && ClosureCodec.IsClosure(declaring) && !method.IsStatic;
        var closureOnTop = false;   // the instruction before this one loaded it
        foreach (var (code, token) in new IlInstructions(il))
        {
            var member = IlInstructions.HasMember(code) ? method.Module.ResolveMember(token, typeArguments, methodArguments) : null;
            switch (member)
            {
                case FieldInfo field when code != IlInstructions.StoreField && field.DeclaringType is { } owner && ClosureCodec.IsClosure(owner):
                    if (!Contains(field))
                        _variables.Add(field);
                    break;
                case Type named when code == IlInstructions.LoadToken && ClosureCodec.IsClosure(named):
                    return false;   // an expression tree
                case MethodBase called:
                    if (closureOnTop && !IsCompilerMade(called) && code is not (IlInstructions.LoadFunction or IlInstructions.LoadVirtualFunction))
                        return false;
                    FollowCalled(called);
                    break;
            }
            if (closureOnTop && IlInstructions.LetsGo(code))
                return false;
            closureOnTop = inClosure && code == IlInstructions.LoadThis;
        }
        return true;
    }

    void FollowCalled(MethodBase called)
    {
        if (IsCompilerMade(called))
            Follow(called);
        if (called.DeclaringType is { } type && IsStateMachine(type))
            FollowAll(type);
        if (called is not MethodInfo { IsGenericMethod: true } start)
            return;
        foreach (var argument in start.GetGenericArguments())   // AsyncTaskMethodBuilder.Start(ref stateMachine)
        {
            if (IsStateMachine(argument))
                FollowAll(argument);
        }
    }

    void FollowAll(Type type)
    {
        const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var method in type.GetMethods(Declared))
            Follow(method);
    }

    void Follow(MethodBase method)
    {
        if (_seen.Add(method))
            _methods.Enqueue(method);
    }

    static bool IsCompilerMade(MethodBase method) =>
        (method.DeclaringType is { } type && type.Name.StartsWith("<>c", StringComparison.Ordinal)) || method.Name.StartsWith('<');

    static bool IsStateMachine(Type type) => type.Name.StartsWith('<') && type.Name.Contains(">d", StringComparison.Ordinal);
}
