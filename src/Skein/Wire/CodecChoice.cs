using System.Collections;
using System.Globalization;
using System.Text;

namespace Skein;

/// <summary>One place that says how the objects of each class travel.</summary>
static class CodecChoice
{
    /// <summary>Abstract classes that stand on the wire for classes that are private to the framework.</summary>
    public static bool IsWireType(Type type) => type == typeof(Type) || type == typeof(StringComparer) || FrozenCodec.IsFrozen(type);

    public static Codec Make(Type type)
    {
        if (Surrogate.For(type) is { } surrogate)
            return new SurrogateCodec(type, surrogate);
        if (type == typeof(string))
            return new StringCodec();
        if (type == typeof(object))
            return new PlainObjectCodec();
        if (typeof(Type).IsAssignableFrom(type))
            return TypePolicy.IsFramework(type.Assembly) ? new TypeCodec(type) : new RefusedCodec(type, "it derives from Type");
        if (type.IsArray)
            return Array(type);
        if (type.IsPointer || type.IsByRefLike || type == typeof(void))
            return new RefusedCodec(type, $"{SourceNames.Of(type)} is a raw address or lives on the stack");
        if (type.IsValueType)
            return Make(typeof(BoxCodec<>), type);
        if (typeof(Delegate).IsAssignableFrom(type))
            return new DelegateCodec(type);
        if (typeof(Surrogate).IsAssignableFrom(type))
            return new SurrogateCodec(type, null);
        if (TypePolicy.IsFramework(type.Assembly))
            return Framework(type);
        if (TypePolicy.WhyNot(type) is { } reason)
            return new RefusedCodec(type, reason);
        if (typeof(Exception).IsAssignableFrom(type))
            return new ExceptionCodec(type);
        return ClosureCodec.IsClosure(type) ? new ClosureCodec(type) : new FieldwiseCodec(type);
    }

    static Codec Array(Type type)
    {
        var element = type.GetElementType()!;
        if (element.IsPointer || element.IsFunctionPointer)
            return new RefusedCodec(type, "pointers mean nothing elsewhere");
        if (!type.IsSZArray && type.GetArrayRank() == 1)
            return new RefusedCodec(type, "its lower bound is not 0");
        return Make(type.IsSZArray ? typeof(ArrayCodec<>) : typeof(RankedArrayCodec<>), element, type);
    }

    static Codec Framework(Type type)
    {
        if (type.IsGenericType && Generic(type) is { } generic)
            return generic;
        if (type == typeof(StringBuilder))
            return new TextCodec<StringBuilder>(b => b.ToString(), s => new StringBuilder(s));
        if (type == typeof(Uri))
            return new UriCodec();
        if (type == typeof(Version))
            return new TextCodec<Version>(v => v.ToString(), Version.Parse);
        if (type == typeof(CultureInfo))
            return new TextCodec<CultureInfo>(PlainCulture.NameOf, CultureInfo.GetCultureInfo);
        if (type == typeof(BitArray))
            return new BitArrayCodec();
        if (typeof(Exception).IsAssignableFrom(type))
            return new ExceptionCodec(type);
        if (typeof(Task).IsAssignableFrom(type))
            return TaskCodec.Make(type);
        if (ComparerCodec.IsWellKnown(type))
            return new ComparerCodec(type);
        if (FrozenCodec.Make(type) is { } frozen)
            return frozen;
        return TypePolicy.WhyNot(type) is { } reason ? new RefusedCodec(type, reason) : new FieldwiseCodec(type);
    }

    static Codec? Generic(Type type)
    {
        var codec = type.GetGenericTypeDefinition().FullName switch
        {
            "System.Collections.Generic.List`1" => typeof(ListCodec<>),
            "System.Collections.Generic.Dictionary`2" => typeof(DictionaryCodec<,>),
            "System.Collections.Generic.HashSet`1" => typeof(HashSetCodec<>),
            "System.Collections.Concurrent.ConcurrentDictionary`2" => typeof(ConcurrentDictionaryCodec<,>),
            "System.Collections.Concurrent.ConcurrentQueue`1" => typeof(ConcurrentQueueCodec<>),
            "System.Collections.Concurrent.ConcurrentStack`1" => typeof(ConcurrentStackCodec<>),
            "System.Collections.Concurrent.ConcurrentBag`1" => typeof(ConcurrentBagCodec<>),
            "System.Collections.Immutable.ImmutableDictionary`2" => typeof(ImmutableDictionaryCodec<,>),
            "System.Collections.Immutable.ImmutableHashSet`1" => typeof(ImmutableHashSetCodec<>),
            "System.Lazy`1" => typeof(LazyCodec<>),
            _ => null,
        };
        return codec is null ? null : Make(codec, type.GetGenericArguments());
    }

    static Codec Make(Type definition, params Type[] arguments) =>
        (Codec)Activator.CreateInstance(definition.MakeGenericType(arguments))!;

    static Codec Make(Type definition, Type argument, Type type) =>
        (Codec)Activator.CreateInstance(definition.MakeGenericType(argument), type)!;
}
