namespace Skein;

/// <summary>
/// For a field that holds something which each node has its own of: a ledger, a printer, a database. When the process moves, the field
/// holds what the new node provides under the same name; a node that provides nothing under it refuses the process, which goes on where it was.
/// <code>
/// sealed class Surveyor
/// {
///     [Fixed] readonly Ledger _ledger = Here.Resource&lt;Ledger&gt;("ledger");
/// }
/// </code>
/// What the node where it is does not provide (<see cref="MobileNode.Provide"/>) has no name, and keeps the process there. For a local, see <see cref="Fixed{T}"/>.
/// </summary>
public sealed class FixedAttribute : BindingAttribute
{
    internal override Type Codec(Type field) => (field.IsValueType ? typeof(UnboundCodec<>) : typeof(FixedCodec<>)).MakeGenericType(field);
}

/// <summary>Something that each node has its own of, in a local: what <see cref="FixedAttribute"/> is for fields.</summary>
public sealed class Fixed<T> where T : class
{
    [Fixed] readonly T _value;

    internal Fixed(T value) => _value = value;

    /// <summary>That of the node where the process is now.</summary>
    public T Value => _value;
}

/// <summary>Makes a <see cref="Fixed{T}"/>.</summary>
public static class Fixed
{
    /// <summary>From what this node provides: <c>Fixed.Of(Here.Resource&lt;Ledger&gt;("ledger"))</c>.</summary>
    public static Fixed<T> Of<T>(T resource) where T : class
    {
        ArgumentNullException.ThrowIfNull(resource);
        return new(resource);
    }
}

/// <summary>A resource as the name under which a node provides it.</summary>
sealed class FixedCodec<T> : ValueCodec<T>
{
    public override void Write(GraphWriter writer, ref T value)
    {
        writer.WriteByte(value is null ? (byte)0 : (byte)1);
        if (value is null)
            return;
        var node = ImageWriting.Of(writer, value).Node;
        writer.WriteText(node.NameOf(value) ?? throw new Refusal(value, value.GetType(),
            $"{SourceNames.Of(value.GetType())} is fixed, and node {node.Name} provides no such object: let it provide it by name (MobileNode.Provide)"));
    }

    public override void Read(GraphReader reader, ref T value)
    {
        if (!reader.ReadBoolean())
            return;
        var (node, name) = (ImageReading.Of(reader).Node, reader.ReadText());
        value = node.FindResource(name) switch
        {
            T resource => resource,
            null => throw new CannotArriveException($"Node {node.Name} has no resource named {name}: it is to be provided there (MobileNode.Provide)."),
            var other => throw new CannotArriveException($"The resource {name} of node {node.Name} is a {SourceNames.Of(other.GetType())}, no {SourceNames.Of(typeof(T))}."),
        };
    }
}

/// <summary>A field with a binding that is none for its type.</summary>
sealed class UnboundCodec<T> : ValueCodec<T>
{
    static string Reason => $"a {SourceNames.Of(typeof(T))} cannot be bound in this way";

    public override void Write(GraphWriter writer, ref T value) => throw new Refusal(null, typeof(T), Reason);

    public override void Read(GraphReader reader, ref T value) => throw GraphReader.Bad(Reason);
}
