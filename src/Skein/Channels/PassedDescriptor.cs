using System.Runtime.Versioning;

namespace Skein;

/// <summary>An open descriptor that goes to a process with an argument; it stays open here too. There it is the receiver's, under a number of its own.</summary>
sealed class PassedDescriptor(int number)
{
    public int Number { get; } = number;
}

/// <summary>Sends a descriptor beside the message.</summary>
[SupportedOSPlatform("linux")]
sealed class PassedDescriptorSurrogate : Surrogate
{
    public override bool Handles(Type type) => type == typeof(PassedDescriptor);

    public override void Write(GraphWriter writer, object value)
    {
        if (writer.Context is not DescriptorCarrier { CarriesDescriptors: true } carrier)
            throw new Refusal(value, value.GetType(), "the processes of this place are connected by a stream of bytes, which carries no descriptor");
        writer.WriteNumber((ulong)carrier.Attach(((PassedDescriptor)value).Number));
    }

    public override object Read(GraphReader reader) => reader.Context is DescriptorCarrier carrier
        ? new PassedDescriptor(carrier.Take((int)reader.ReadNumber()))
        : throw new InvalidDataException("A descriptor came by a connection that carries none.");
}
