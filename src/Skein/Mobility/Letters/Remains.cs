namespace Skein;

/// <summary>
/// Letters of a sender that has no turns: of the handles of a node, or of a process that has ended before all were had. What is left of a process that was
/// stored is stored too, until then.
/// </summary>
sealed class Remains(MobileNode node, string sender, Outbox outbox)
{
    readonly Lock _gate = new();

    public string Sender => sender;

    /// <summary>To be done when all were had.</summary>
    public Action<Remains>? Over { get; init; }

    public void Write(string receiver, Letter letter)
    {
        lock (_gate)
        {
            outbox.Write(sender, receiver, letter);
            outbox.LeaveAll(receiver);
        }
        node.Deliver(receiver, letter.Copy(node.Name));
    }

    public void Take(Acknowledgement acknowledgement)
    {
        if (acknowledgement.Number == Acknowledgement.None)
        {
            SayAgain(acknowledgement.Receiver);
            return;
        }
        lock (_gate)
        {
            outbox.Acknowledge(acknowledgement.Receiver, acknowledgement.Number);
            if (Over is null || !outbox.IsEmpty)
                return;
        }
        Over(this);
    }

    public void SayAgain(string? receiver = null)
    {
        (string, Letter)[] letters;
        lock (_gate)
            letters = outbox.UnderWay(receiver);
        foreach (var (to, letter) in letters)
            node.Deliver(to, letter.Copy(node.Name, isLeft: true));
    }
}
