using System.Buffers;

namespace Skein;

/// <summary>A message, or an event with its name. Each sender numbers its letters to each process, so that they arrive in their order by whatever way.</summary>
sealed class Letter(string? eventName) : FollowingItem(PeerMessageKind.Letter)
{
    object? _content;
    byte[]? _bytes;   // the content, until it is read, unless it is what nobody can change

    public string Sender { get; private set; } = "";

    public long Number { get; private set; }

    /// <summary>The content of a letter is a copy, also where both are at one node: so it is the same wherever they are.</summary>
    /// <exception cref="CannotTravelException">It, or something in it, belongs to its place.</exception>
    public static Letter Of<T>(string? eventName, T content) => content is null or string || typeof(T).IsPrimitive
        ? new(eventName) { _content = content }
        : new(eventName) { _bytes = Encode(content) };

    /// <summary>A number that is given is used: so this comes last.</summary>
    public Letter From(string sender, long number)
    {
        (Sender, Number) = (sender, number);
        return this;
    }

    public static Letter Read(GraphReader message)
    {
        var (sender, number, eventName) = (message.ReadText(), message.ReadLong(), message.ReadByte() == 1 ? message.ReadText() : null);
        return new Letter(eventName) { _bytes = message.ReadBytes().ToArray() }.From(sender, number);
    }

    protected override void Write(GraphWriter message)
    {
        message.WriteText(Sender);
        message.WriteNumber((ulong)Number);
        message.WriteByte(eventName is null ? (byte)0 : (byte)1);
        if (eventName is not null)
            message.WriteText(eventName);
        message.WriteBytes(_bytes ?? Encode(_content));
    }

    public override void Apply(Resident resident) => (resident.State.Letters ??= new()).Take(this, resident);

    /// <summary>Its turn has come: the process gets it.</summary>
    public void Open(Resident resident)
    {
        if (_bytes is { } bytes)
        {
            try
            {
                _content = resident.Node.Decode<object?>(bytes, resident.State.Space);
            }
            catch (Exception e) when (e is InvalidDataException or ModuleVersionException)
            {
                return;   // of a build that is not here: nobody could read it
            }
        }
        resident.TakeIn(eventName, _content);
    }

    static byte[] Encode(object? content)
    {
        var bytes = new ArrayBufferWriter<byte>();
        GraphCodec.Encode(content, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
