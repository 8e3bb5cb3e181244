namespace Skein;

/// <summary>
/// To the sender of letters: the receiver has all up to this number for good. A process that is stored has them once an image is stored that has them in
/// it or what came of them; any other, once it has taken them.
/// </summary>
sealed class Acknowledgement(string sender, string receiver, long number) : FollowingItem(PeerMessageKind.Acknowledge)
{
    /// <summary>The receiver has ended: of no use are those that it has not had.</summary>
    public const long All = long.MaxValue;

    /// <summary>Where letters could not go on before there is a way now: they are to be said again.</summary>
    public const long None = 0;

    public string Receiver => receiver;

    public long Number => number;

    /// <summary>That something need not be kept any more nobody waits for.</summary>
    public override bool CanWait => number != None;

    /// <summary>The process that has this name as a sender; or the node, whose handles have.</summary>
    public static string IdOf(string sender) => sender.LastIndexOf('/') is var slash && slash > 0 && sender.IndexOf('.', slash) < 0 ? sender[..slash] : sender;

    /// <param name="process">That it came for: mostly that is the sender's name.</param>
    public static Acknowledgement Read(string process, GraphReader message) =>
        new(message.ReadText() is { Length: > 0 } sender ? sender : process, message.ReadText(), message.ReadLong());

    protected override void Write(GraphWriter message)
    {
        message.WriteText(IdOf(sender) == sender ? "" : sender);
        message.WriteText(receiver);
        message.WriteNumber((ulong)number);
    }

    public override void Apply(Resident resident)
    {
        if (resident.State.Sender != sender || resident.State.Outbox is not { } outbox)
            return;
        if (number == None)
            resident.SayAgain(receiver);
        else
            outbox.Acknowledge(receiver, number);
    }
}
