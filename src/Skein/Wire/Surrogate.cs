namespace Skein;

/// <summary>
/// For a value that stays where it is and is reached from the other side: a token, a progress, the end of a channel. It writes a
/// description in the value's stead, and makes the stand-in from it there. Each process registers one object of each class.
/// </summary>
abstract class Surrogate
{
    static readonly Lock Gate = new();
    static Surrogate[] _registered = [];

    /// <summary>Whether values of this type, as it is at run time, are this surrogate's. Asked once for each type. Also for structs.</summary>
    public abstract bool Handles(Type type);

    /// <summary>Null when the stand-in of a value of this type fits a field of that type; else why not, and what to do.</summary>
    public virtual string? WhyNotIn(Type field, Type type) => null;

    /// <summary>Writes the description. <see cref="GraphWriter.Context"/> is what the connection put there.</summary>
    public abstract void Write(GraphWriter writer, object value);

    /// <summary>Makes the stand-in; it must fit the field it goes into, or the message is refused.</summary>
    public abstract object Read(GraphReader reader);

    /// <summary>Adds a surrogate, for every connection of this process. Before any value is written: a type is asked for once.</summary>
    public static void Register(Surrogate surrogate)
    {
        lock (Gate)
            _registered = [.. _registered, surrogate];
    }

    public static Surrogate? For(Type type) => Array.Find(_registered, s => s.Handles(type));

    public static Surrogate? OfClass(Type type) => Array.Find(_registered, s => s.GetType() == type);
}
