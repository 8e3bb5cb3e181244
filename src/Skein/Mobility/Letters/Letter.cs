using System.Buffers;

namespace Skein;

/// <summary>A message, or an event with its name. Each sender numbers its letters to each process, so that they arrive in their order by whatever way.</summary>
sealed class Letter(string? eventName) : FollowingItem(PeerMessageKind.Letter)
{
    const int IsEvent = 1, IsOfOneWhoEnded = 2;

    object? _content;
    byte[]? _bytes;   // the content, until it is read, unless it is what nobody can change

    public string Sender { get; private set; } = "";

    public long Number { get; private set; }

    /// <summary>The sender has this letter of its receiver for good, and those before it: so an answer is an acknowledgement too. 0: nothing new.</summary>
    public long Had { get; init; }

    /// <summary>The sender has ended: an answer would not tell him that it has come.</summary>
    public bool IsLeft { get; private init; }

    /// <summary>The node that it was sent from, where the sender is asked for first.</summary>
    public string ReturnTo { get; private set; } = "";

    /// <summary>The content of a letter is a copy, also where both are at one node: so it is the same wherever they are.</summary>
    /// <exception cref="CannotTravelException">It, or something in it, belongs to its place.</exception>
    public static Letter Of<T>(string? eventName, T content, long had = 0) => content is null or string || typeof(T).IsPrimitive
        ? new(eventName) { _content = content, Had = had }
        : new(eventName) { _bytes = Encode(content), Had = had };

    /// <summary>A number that is given is used: so this comes last.</summary>
    public Letter From(string sender, long number)
    {
        (Sender, Number) = (sender, number);
        return this;
    }

    /// <summary>What is sent; this one is kept. A letter stands in one inbox only.</summary>
    public Letter Copy(string returnTo, bool isLeft = false) => new(eventName) { IsLeft = isLeft, _content = _content, _bytes = _bytes, Sender = Sender, Number = Number, Had = Had, ReturnTo = returnTo };

    public static Letter Read(GraphReader message)
    {
        var (sender, number, had, returnTo) = (message.ReadText(), message.ReadLong(), message.ReadLong(), message.ReadText());
        var marks = message.ReadByte();
        var eventName = (marks & IsEvent) != 0 ? message.ReadText() : null;
        return new(eventName) { IsLeft = (marks & IsOfOneWhoEnded) != 0, Sender = sender, Number = number, Had = had, ReturnTo = returnTo, _bytes = message.ReadBytes().ToArray() };
    }

    protected override void Write(GraphWriter message)
    {
        message.WriteText(Sender);
        message.WriteNumber((ulong)Number);
        message.WriteNumber((ulong)Had);
        message.WriteText(ReturnTo);
        message.WriteByte((byte)((eventName is null ? 0 : IsEvent) | (IsLeft ? IsOfOneWhoEnded : 0)));
        if (eventName is not null)
            message.WriteText(eventName);
        message.WriteBytes(_bytes ?? Encode(_content));
    }

    public override void Apply(Resident resident)
    {
        if (Had > 0 && resident.State.Sender == resident.Id)   // of letters that it wrote under this name
            resident.State.Outbox?.Acknowledge(Acknowledgement.IdOf(Sender), Had);
        (resident.State.Letters ??= new()).Take(this, resident);
    }

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
            catch (Exception)   // of whatever kind: of a build that is not here, or the application's own hash function
            {
                return;   // nobody could read it
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
