namespace Skein;

/// <summary>What can be asked of a process from outside.</summary>
enum AskKind : byte
{
    /// <summary>To go on at another node.</summary>
    Move = 1,

    /// <summary>For an image of it.</summary>
    Capture,

    /// <summary>For what it does: its calls, locals, waits, mail.</summary>
    Inspect,
}

/// <summary>Somebody outside asks a process, wherever it is, and hears of it by the number of the question.</summary>
sealed class Ask(string origin, long number, AskKind kind, string destination) : FollowingItem(PeerMessageKind.Ask)
{
    MobileNode _node = null!;
    Cut _cut = null!;
    volatile bool _isWithdrawn;

    /// <summary>The node where somebody waits for the answer.</summary>
    public string Origin => origin;

    /// <summary>By that node.</summary>
    public long Number => number;

    /// <summary>Whoever asked does not want it any more, wherever it is by now.</summary>
    public bool IsWithdrawn => _isWithdrawn;

    public static Ask Read(GraphReader message) => new(message.ReadText(), message.ReadLong(), (AskKind)message.ReadByte(), message.ReadText());

    protected override void Write(GraphWriter message)
    {
        message.WriteText(origin);
        message.WriteNumber((ulong)number);
        message.WriteByte((byte)kind);
        message.WriteText(destination);
    }

    /// <summary>It has come to the node where the process is; from now on it can be withdrawn there.</summary>
    public void Note(Resident process)
    {
        _node = process.Node;
        _cut = kind switch
        {
            AskKind.Move => new Departure(destination, null, this),
            AskKind.Inspect => new LookCut(this),
            _ => new Snapshot(this),
        };
        _node.Asks[(Origin, Number)] = this;
    }

    public override void Apply(Resident resident)
    {
        if (_cut is LookCut)
            Show(resident);
        else
            resident.Wish(_cut);
    }

    /// <summary>That needs no image: it is possible while ordinary tasks are awaited.</summary>
    void Show(Resident resident)
    {
        if (!_cut.TryBegin())
            return;
        resident.SayWhatCame();   // as before an image
        Succeed(resident.Node, resident, Inspection.Of(resident));
    }

    public override void Miss(MobileNode node, string process) =>
        node.Tell(Origin, Number, new(AskAnswerKind.HasEnded, $"Mobile process {process} has ended.", null, null));

    /// <summary>It goes after its process, unless it has begun here or was withdrawn.</summary>
    public bool TryLeave()
    {
        if (!_cut.TryGiveUp())
            return false;
        _node.Asks.TryRemove(new((Origin, Number), this));
        return true;
    }

    /// <summary>Whoever asked does not want it any more. From any thread.</summary>
    public void Withdraw(Resident process)
    {
        _isWithdrawn = true;
        if (!_cut.TryGiveUp())
        {
            if (kind == AskKind.Move)
                process.Node.GiveUpOffer(process.Id);
            return;   // it has begun, and its answer comes
        }
        process.Node.Tell(Origin, Number, new(AskAnswerKind.Withdrawn, process.WhyNotYet(), null, null));
        process.Post(new CutGivenUp());
    }

    public void Succeed(MobileNode node, Resident process, byte[] image) => node.Tell(Origin, Number, new(AskAnswerKind.Done, node.Name, null, image));

    /// <summary>It is there.</summary>
    public void Succeed(MobileNode node, Resident process, string? movedTo = null) =>
        node.Tell(Origin, Number, new(AskAnswerKind.Done, movedTo ?? node.Name, null, BitConverter.GetBytes(process.State.Sighting + (movedTo is null ? 0 : 1))));

    public void Fail(Exception error) =>
        _node.Tell(Origin, Number, new(error is NodeLostException ? AskAnswerKind.Lost : AskAnswerKind.CannotMove, error is NodeLostException { Node: var lost } ? lost : error.Message, (error as CannotMoveException)?.Path, null));
}

/// <summary>Somebody looks at a process between two turns: begun or given up as a cut, of which it makes none.</summary>
sealed class LookCut(Ask ask) : Cut
{
    public override Ask Ask => ask;

    public override bool Take(Resident process, byte[] image) => false;

    public override void Fail(Exception error) => ask.Fail(error);
}

/// <summary>An ask that is not wanted any more. It takes effect at once, also where the process computes and reads nothing.</summary>
sealed class Withdrawal(string origin, long number) : FollowingItem(PeerMessageKind.Withdraw)
{
    public static Withdrawal Read(GraphReader message) => new(message.ReadText(), message.ReadLong());

    protected override void Write(GraphWriter message)
    {
        message.WriteText(origin);
        message.WriteNumber((ulong)number);
    }

    public override void Apply(Resident resident) => TryApply(resident);

    /// <summary>False where the process has left: what was asked may have gone with it.</summary>
    public bool TryApply(Resident resident)
    {
        if (resident.Node.Asks.TryGetValue((origin, number), out var ask))
            ask.Withdraw(resident);
        return !resident.HasLeft;
    }

    public override void Miss(MobileNode node, string process) =>
        node.Tell(origin, number, new(AskAnswerKind.HasEnded, $"Mobile process {process} has ended, or was lost with its node.", null, null));
}

enum AskAnswerKind : byte
{
    Done = 1,
    CannotMove,
    HasEnded,
    Withdrawn,
    Lost,
}

/// <param name="Kind">How it came out.</param>
/// <param name="Text">Why not; or the node where the process is.</param>
/// <param name="Path">To what is in the way.</param>
/// <param name="Data">An image; or how often the process has moved.</param>
sealed record AskAnswer(AskAnswerKind Kind, string Text, string? Path, byte[]? Data);
