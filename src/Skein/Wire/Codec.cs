using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// How the objects of one class travel. The head is what is needed to allocate one (or all of it, if it cannot change); the body is
/// its contents, written when everything that was met before it has been.
/// </summary>
abstract class Codec(Type type)
{
    static readonly ConcurrentDictionary<Type, Codec> All = new();
    static readonly ConditionalWeakTable<Type, Codec> OfCollectible = [];   // of modules that can be unloaded

    /// <summary>The class of the objects, as it is at run time.</summary>
    public Type Type { get; } = type;

    /// <summary>What is written as their class: another one where the real class is private to a framework.</summary>
    public Type WireType { get; protected init; } = type;

    public bool HasBody { get; protected init; } = true;

    /// <summary>The modules of the application that say what such an object looks like; their versions must be the same on both sides.</summary>
    public Module[] Modules => field ??= this is RefusedCodec or SurrogateCodec ? [] : LayoutModules.Of(Type);

    public virtual void WriteHead(GraphWriter writer, object value)
    {
    }

    public abstract object ReadHead(GraphReader reader);

    public virtual void WriteBody(GraphWriter writer, object value)
    {
    }

    public virtual void ReadBody(GraphReader reader, object value)
    {
    }

    /// <summary>The codec of a class. A class that may not travel has one too, which refuses.</summary>
    public static Codec For(Type type)
    {
        if (All.TryGetValue(type, out var codec))
            return codec;
        return type.IsCollectible ? OfCollectible.GetValue(type, CodecChoice.Make) : All.GetOrAdd(type, CodecChoice.Make(type));
    }

    /// <summary>
    /// For a field of this type: the codec of objects that are exactly of it, or null where there can be none. An abstract type has one all the
    /// same where its objects stay and something stands in for them, which may not fit.
    /// </summary>
    public static Codec? Declared(Type type) =>
        type.IsValueType || type.IsPointer || (type.IsAbstract && Surrogate.For(type) is null) ? null : For(type);
}
