using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein;

/// <summary>Sends an end of a channel: its descriptors go with the message, and it is made anew from them there.</summary>
[SupportedOSPlatform("linux")]
sealed class EndSurrogate : Surrogate
{
    public override bool Handles(Type type)
    {
        if (typeof(IChannelEnd).IsAssignableFrom(type))
            return true;
        for (var t = type; t is not null; t = t.BaseType)
        {
            // The framework's own channels: to refuse them with a better reason than one of their private fields.
            if (t.IsGenericType && t.GetGenericTypeDefinition() is var generic && (generic == typeof(ChannelReader<>) || generic == typeof(ChannelWriter<>) || generic == typeof(Channel<>)))
                return true;
        }

        return false;
    }

    public override void Write(GraphWriter writer, object value)
    {
        if (value is not IChannelEnd channelEnd)
            throw new Refusal(value, value.GetType(), "a channel in memory is for the threads of one process, and only the Reader or the Writer of another kind can be sent; create it with ProcessChannel.Create(ChannelKind.Pipe) or another kind, and send one of its ends");
        if (writer.Context is not DescriptorCarrier carrier)
            throw new Refusal(value, value.GetType(), "the end of a channel travels only as (part of) an argument or a result of a process on this machine");
        if (!carrier.CarriesDescriptors)
            throw new Refusal(value, value.GetType(), "the processes of this place are connected by a stream of bytes, which carries no end of a channel (on Linux Place.OsProcess has one that does); pass a callback or a progress");

        var end = channelEnd.End;
        lock (end.Gate)
        {
            if (channelEnd.WhyItMustStay() is { } reason)
                throw new Refusal(value, value.GetType(), reason);
            end.Page.Used = 1;
            writer.WriteByte((byte)end.Kind);
            writer.WriteByte((byte)FormOf(channelEnd));
            writer.WriteNumber((ulong)((end.Port as RingPort)?.Ring.Capacity ?? 0));
            writer.WriteNumber((ulong)end.Number);
            writer.WriteNumber(end.Written);
            writer.WriteType(channelEnd.ItemType);
            var secret = (end.Port as UdpPort)?.Secret ?? 0;
            writer.WriteNumber((ulong)secret);
            writer.WriteNumber((ulong)(secret >> 64));
            writer.WriteNumber((ulong)end.Descriptors.Length);
            foreach (var descriptor in end.Descriptors)
                writer.WriteNumber((ulong)carrier.Attach(descriptor));
            carrier.WhenSent(channelEnd.HandOver);
        }
    }

    public override object Read(GraphReader reader)
    {
        var kind = (ChannelKind)reader.ReadByte();
        var form = (Form)reader.ReadByte();
        var ringCapacity = (int)reader.ReadNumber();
        var number = (int)reader.ReadNumber();
        var written = reader.ReadNumber();
        var itemType = reader.ReadType();
        UInt128 secret = reader.ReadNumber();
        secret |= (UInt128)reader.ReadNumber() << 64;
        var count = reader.ReadNumber();
        if (reader.Context is not DescriptorCarrier carrier || count is < 2 or > 1000)
            throw new InvalidDataException("The end of a channel came without its descriptors.");
        var descriptors = new int[count];
        for (var i = 0; i < descriptors.Length; i++)
            descriptors[i] = carrier.Take((int)reader.ReadNumber());
        var end = EndFactory.Open(kind, form is Form.Reader or Form.RingReader, number, secret, descriptors, ringCapacity);
        end.Written = written;
        return form switch
        {
            Form.Reader => Activator.CreateInstance(typeof(EndReader<>).MakeGenericType(itemType), end)!,
            Form.Writer => Activator.CreateInstance(typeof(EndWriter<>).MakeGenericType(itemType), end)!,
            Form.RingReader => new RingReader(end),
            _ => new RingWriter(end),
        };
    }

    static Form FormOf(IChannelEnd end) => end switch
    {
        RingReader => Form.RingReader,
        RingWriter => Form.RingWriter,
        _ => end.End.Reads ? Form.Reader : Form.Writer,
    };

    enum Form : byte
    {
        Reader,
        Writer,
        RingReader,
        RingWriter,
    }
}
