namespace Skein;

/// <summary>Writes and reads values of a type that is known at run time only.</summary>
abstract class ValueWire
{
    /// <exception cref="ArgumentException">No value of this type leaves its process.</exception>
    public static ValueWire Of(Type type, string subject) =>
        type.IsByRef || type.IsByRefLike || type.IsPointer
            ? throw new ArgumentException($"{subject} is of type {type}, which lives in the caller's memory; a method that is called from elsewhere takes and returns values.")
            : (ValueWire)Activator.CreateInstance(typeof(ValueWire<>).MakeGenericType(type))!;

    public abstract void Write(GraphWriter writer, object? value);

    public abstract object? Read(GraphReader reader);
}

/// <inheritdoc cref="ValueWire"/>
sealed class ValueWire<T> : ValueWire
{
    public override void Write(GraphWriter writer, object? value) => writer.Write((T)value!);

    public override object? Read(GraphReader reader) => reader.Read<T>();
}
