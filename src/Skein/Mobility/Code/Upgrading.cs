using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// Reads an image of one build of an application into another. Where a function waits is a place in its code, so each function on the stack
/// must be the same in both, or there is one that goes on with its calls; whatever else there is may have changed: a class may have more
/// fields, or fewer. What is doubtful is refused.
/// </summary>
/// <param name="old">The modules of the image; null where the program was started with them.</param>
/// <param name="node">Where others may be.</param>
/// <param name="modules">Of the other build, by name.</param>
sealed class Upgrading(ModuleSpace? old, ModuleSpaces node, IReadOnlyDictionary<string, Module> modules) : ModuleSource, IDisposable
{
    const BindingFlags Nested = BindingFlags.Public | BindingFlags.NonPublic;
    const BindingFlags Declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    readonly Dictionary<Type, Type> _types = [];
    readonly Dictionary<Type, Type> _olds = [];
    readonly Dictionary<Type, Codec?> _codecs = [];
    readonly Dictionary<Type, string> _changed = [];   // functions that are not the same, and how not
    readonly List<IMigratedFrame> _frames = [];   // their calls
    readonly List<ModuleSpace> _entered = [];

    /// <summary>Whether the image has anything of the other build.</summary>
    public bool IsConcerned => _types.Count > 0;

    /// <summary>A function of the program itself may have called into a build beside it: then that is not the space of its process.</summary>
    public override KnownModule? Find(string name, Guid mvid)
    {
        if (old?.Find(name, mvid) is { } known)
            return known;
        if (_entered.Find(space => space.Find(name, mvid) is not null) is not { } entered)
        {
            entered = node.Enter(name, mvid);
            if (entered is null)
                return null;
            _entered.Add(entered);
        }
        return entered.Find(name, mvid);
    }

    public void Dispose()
    {
        foreach (var space in _entered)
            space.Leave();
    }

    /// <summary>For each call of a function that has changed the one that goes on with it. After all was read, and before anything of them runs.</summary>
    /// <exception cref="CannotArriveException">There is none for some.</exception>
    public IReadOnlyList<Migration> Migrations()
    {
        var found = new List<Migration>();
        foreach (var frame in Enumerable.Reverse(_frames).Where(static frame => !((MobileFrame)frame).HasEnded))   // before those that wait for them
            found.Add(Migration.Find(frame, Map(FrameNames.ClassOf(frame.Old.Function)!), out var why) ?? throw Refused(frame.Old, why));
        return found;
    }

    public override Type Map(Type type)
    {
        if (ModuleFor(type) is not { } module)
            return type;
        if (!_types.TryGetValue(type, out var other))
        {
            other = type.Name.Contains('<') ? Counterpart(type)
                : module.GetType(type.FullName!) ?? throw Refused($"the class {SourceNames.Of(type)} is not in the other build");
            if (other == type)
                _types[type] = type;   // a function that has changed: its calls are read as what they were
            else
                Pair(type, other);
        }
        return other;
    }

    /// <summary>Null for a type that is the same in both.</summary>
    Module? ModuleFor(Type type) => modules.TryGetValue(type.Assembly.GetName().Name!, out var module) && module != type.Module ? module : null;

    /// <summary>The one takes the place of the other; so do the types of their fields, whose objects may be written without the name of their class.</summary>
    void Pair(Type type, Type other)
    {
        _types[type] = other;
        _olds[other] = type;
        if (type.IsEnum)
            Require(type.GetEnumUnderlyingType() == other.GetEnumUnderlyingType(), $"the enumeration {SourceNames.Of(type)} has numbers of another size");
        else if (type.IsValueType)
            Require(FunctionText.FieldsOf(type) == FunctionText.FieldsOf(other), $"the struct {SourceNames.Of(type)} has other fields");
        var fields = Field.InfosOf(other).ToDictionary(static field => (FunctionText.Stable(field.DeclaringType!.Name), field.Name));
        foreach (var field in Field.InfosOf(type))
        {
            if (fields.TryGetValue((FunctionText.Stable(field.DeclaringType!.Name), field.Name), out var same))
                PairDeep(field.FieldType, same.FieldType);
        }
    }

    void PairDeep(Type type, Type other)
    {
        if (type.HasElementType && other.HasElementType)
        {
            PairDeep(type.GetElementType()!, other.GetElementType()!);
        }
        else if (type.IsConstructedGenericType && other.IsConstructedGenericType)
        {
            PairDeep(type.GetGenericTypeDefinition(), other.GetGenericTypeDefinition());
            foreach (var (one, two) in type.GetGenericArguments().Zip(other.GetGenericArguments()))
                PairDeep(one, two);
        }
        else if (!type.IsGenericParameter && ModuleFor(type) == other.Module && !_types.ContainsKey(type) && FunctionText.Stable(type.FullName!) == FunctionText.Stable(other.FullName!))
        {
            Pair(type, other);
        }
    }

    public override MethodInfo Method(Type type, int row, Type[] arguments)
    {
        var definition = type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type;
        if (!_olds.TryGetValue(definition, out var was))
            return TypePolicy.Method(type, row, arguments);
        var method = was.Module.ResolveMethod(0x06000000 | row) as MethodInfo ?? throw GraphReader.Bad("a function that is a constructor");
        var signature = FunctionText.Signature(method);
        var found = Array.FindAll(definition.GetMethods(Declared), each => FunctionText.Signature(each) == signature);
        if (method.Name.Contains('<'))   // a lambda has no name of its own: it is what it does
        {
            var text = FunctionText.Of(method);
            found = Array.FindAll(found, each => FunctionText.Of(each) == text);
        }
        return found.Length == 1
            ? TypePolicy.Method(type, found[0].MetadataToken & 0xFFFFFF, arguments)
            : throw Refused($"it holds the function {SourceNames.Of(was)}.{method.Name}, {(found.Length == 0 ? "which has changed" : "of which there are several")}");
    }

    public override Codec? CodecFor(Type type)
    {
        if (_codecs.TryGetValue(type, out var known))
            return known;
        if (type.IsConstructedGenericType && type.GetGenericTypeDefinition() == typeof(MethodFrame<,>) && type.GetGenericArguments() is [var function, var result] && _changed.ContainsKey(function))
            return _codecs[type] = (Codec)Activator.CreateInstance(typeof(MigratedFrameCodec<>).MakeGenericType(result), type, new OldCallCodec(function, MapDeep, _olds.GetValueOrDefault), _frames)!;
        return _codecs[type] = _olds.TryGetValue(type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type, out var was) && !type.IsValueType ? ChangedCodec(type, was) : null;
    }

    ChangedClassCodec? ChangedCodec(Type type, Type was)
    {
        if (FunctionText.FieldsOf(was) == FunctionText.FieldsOf(type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type) && FieldwiseCodec.SingletonNames(was).SequenceEqual(FieldwiseCodec.SingletonNames(type)))
            return null;
        Require(Codec.For(type) is FieldwiseCodec && !type.IsGenericType && !type.IsDefined(typeof(CompilerGeneratedAttribute)), $"{SourceNames.Of(type)} has other fields");
        return new ChangedClassCodec(type, was, MapDeep);
    }

    /// <summary>A type with all that it is made of.</summary>
    Type MapDeep(Type type)
    {
        if (type.IsArray)
            return type.IsSZArray ? MapDeep(type.GetElementType()!).MakeArrayType() : MapDeep(type.GetElementType()!).MakeArrayType(type.GetArrayRank());
        return type.IsConstructedGenericType
            ? KnownGenerics.Make(MapDeep(type.GetGenericTypeDefinition()), Array.ConvertAll(type.GetGenericArguments(), MapDeep))
            : TypePolicy.IsFramework(type.Assembly) ? type : Map(type);
    }

    /// <summary>Of a class that the compiler has made, and named by a place: that with the same function in it.</summary>
    Type Counterpart(Type type)
    {
        var outer = Map(type.DeclaringType ?? throw Refused($"{type.Name} has no counterpart"));
        if (FunctionMatch.IsFunction(type))
        {
            var (same, why) = FunctionMatch.Find(type, outer);
            if (same is null && (type.IsGenericType || !type.IsAssignableTo(typeof(IAsyncStateMachine))))
                throw Refused(OnStack(type, why), new(FrameNames.Of(type)));
            if (same is null)
                _changed.Add(type, why);
            return same ?? type;
        }
        var name = FunctionText.Stable(type.Name);
        var found = Array.FindAll(outer.GetNestedTypes(Nested), each => FunctionText.Stable(each.Name) == name);
        if (found.Length > 1)
        {
            var (fields, methods) = (FunctionText.FieldsOf(type), FunctionText.MethodsOf(type));
            found = Array.FindAll(found, each => FunctionText.FieldsOf(each) == fields && FunctionText.MethodsOf(each) == methods);
        }
        if (found.Length > 1)
            found = Array.FindAll(found, each => each.Name == type.Name);
        Require(found.Length == 1, $"what {FrameNames.Of(type)} has captured is not to be found in the other build");
        return found[0];
    }

    static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw Refused(otherwise);
    }

    CannotArriveException Refused(OldCall call, string why)
    {
        var line = SourceLines.Of(call.Function, call.Await - 1);
        var at = line is var (file, number) ? $" of {file}:{number}" : "";
        return Refused($"{OnStack(call.Function, _changed[call.Function])}; it is at await {call.Await}{at}{why}", new(FrameNames.Of(call.Function)) { File = line?.File, Line = line?.Line });
    }

    static string OnStack(Type function, string why) => $"{FrameNames.Of(function)} is on the stack of the process, and {why}";

    static CannotArriveException Refused(string why, FunctionPlace? place = null) => new($"It cannot go on in the other build: {why}.") { Function = place };
}
