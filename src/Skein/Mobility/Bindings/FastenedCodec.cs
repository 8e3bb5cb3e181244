namespace Skein;

/// <summary>What stays travels as its address; at its node the object itself takes its place again.</summary>
sealed class FastenedCodec<T> : ValueCodec<T>
{
    public override void Write(GraphWriter writer, ref T value)
    {
        writer.WriteByte(value is null ? (byte)0 : (byte)1);
        if (value is null)
            return;
        var image = ImageWriting.Of(writer, value);
        var address = value as FastenedAddress ?? (value as FastenedProxy)?.Address
            ?? new(image.Node.Name, image.Node.Life, image.ProcessId, image.Node.Fastened.Add(image.ProcessId, value));
        writer.WriteText(address.Owner);
        var life = address.Life;
        writer.WriteRaw(ref life);
        writer.WriteText(address.ProcessId);
        writer.WriteNumber((uint)address.Number);
    }

    public override void Read(GraphReader reader, ref T value)
    {
        if (!reader.ReadBoolean())
            return;
        var image = ImageReading.Of(reader);
        var (owner, life) = (reader.ReadText(), default(Guid));
        reader.ReadRaw(ref life);
        var address = new FastenedAddress(owner, life, reader.ReadText(), (int)reader.ReadUInt32()) { From = image.Node };
        var there = (address.Life == image.Node.Life ? image.Node.Fastened.Find(address.ProcessId, address.Number) : null) ?? address;
        if (ReferenceEquals(there, address))
        {
            image.NoteOwner(owner);
            if (typeof(T).IsInterface)
                there = FastenedProxy.Of(typeof(T), address);
        }
        value = there is T fitting ? fitting : throw GraphReader.Bad($"a {there.GetType()} in a field for a {typeof(T)}");
    }
}
