using System.Buffers;

namespace Skein;

/// <summary>A message, or an event with its name. Each sender numbers its letters to each process, so that they arrive in their order by whatever way.</summary>
sealed class Letter(string? eventName) : FollowingItem(PeerMessageKind.Letter)
{
    object? _content;
    byte[]? _bytes;   // the content, until it is read, unless it is what nobody can change

    public string Sender { get; private set; } = "";

    public long Number { get; private set; }

    /// <summary>The node that it was sent from, where the sender is asked for first.</summary>
    public string ReturnTo { get; private set; } = "";

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

    /// <summary>What is sent; this one is kept. A letter stands in one inbox only.</summary>
    public Letter Copy(string returnTo) => new(eventName) { _content = _content, _bytes = _bytes, Sender = Sender, Number = Number, ReturnTo = returnTo };

    public static Letter Read(GraphReader message)
    {
        var (sender, number, returnTo) = (message.ReadText(), message.ReadLong(), message.ReadText());
        var eventName = message.ReadByte() == 1 ? message.ReadText() : null;
        return new(eventName) { Sender = sender, Number = number, ReturnTo = returnTo, _bytes = message.ReadBytes().ToArray() };
    }

    protected override void Write(GraphWriter message)
    {
        message.WriteText(Sender);
        message.WriteNumber((ulong)Number);
        message.WriteText(ReturnTo);
        message.WriteByte(eventName is null ? (byte)0 : (byte)1);
        if (eventName is not null)
            message.WriteText(eventName);
        message.WriteBytes(_bytes ?? Encode(_content));
    }

    public override void Apply(Resident resident) => (resident.State.Letters ??= new()).Take(this, resident);

    public override void Miss(MobileNode node, string process) => node.MissLetter(process, this);

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
