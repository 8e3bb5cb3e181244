namespace Skein;

/// <summary>The wish to go on at another node: of the process itself (a wait), or of an operator (who asks).</summary>
sealed class Departure(string destination, MoveWait? wait, Ask? ask) : Cut
{
    public override bool Leaves => true;

    public override bool Commits => true;

    public override Ask? Ask => ask;

    public override bool Take(Resident process, byte[] image)
    {
        if (destination == process.Node.Name)
        {
            ask?.Succeed(process.Node, process);
            return false;
        }
        try
        {
            process.Node.RequirePeer(destination, process.Id);
        }
        catch (CannotMoveException e)
        {
            Fail(e);
            return false;
        }
        var (node, id) = (process.Node, process.Id);
        node.Offer(destination, new LeavingProcess(process, destination, image, this));
        if (ask is { IsWithdrawn: true })
            node.GiveUpOffer(id);   // by one who found no offer yet
        return true;
    }

    public override void Fail(Exception error)
    {
        wait?.Fail(error);
        ask?.Fail(error);
    }
}

/// <summary>A process while its node offers it to another.</summary>
sealed class LeavingProcess(Resident process, string destination, byte[] image, Departure departure) : Leaving
{
    public override string Id => process.Id;

    public override byte[] Image => image;

    public override string StoredIn => process.State.IsStored && process.Node.Store is { } store ? store.Identity : "";

    public override Task StoreAsync(byte[]? record) => process.StoreAsync(record);

    public override void Stay(string why) => process.Begin(new Stayed(departure,
        new($"Mobile process {Id} stays at node {process.Node.Name}: node {destination} did not take it. {char.ToUpperInvariant(why[0])}{why.AsSpan(1)}{(why.EndsWith('.') ? "" : ".")}")));

    public override void Leave(string peer, Action sayGo) => process.Leave(peer, sayGo);

    public override void Arrive() => departure.Ask?.Succeed(process.Node, process, destination);

    public override void Lose(string why)
    {
        departure.Ask?.Fail(new NodeLostException(Id, destination));
        _ = process.Node.LoseAsync(process.State, destination);
    }

    sealed class Stayed(Departure departure, CannotMoveException error) : InboxItem
    {
        public override void Apply(Resident resident)
        {
            departure.Fail(error);
            resident.IsOver(departure);
        }
    }
}

/// <summary>A process whose objects another node's image has made here.</summary>
sealed class ComingProcess(Resident process, Action? finish, bool isToBeStored) : Coming
{
    public string Id => process.Id;

    public override bool IsToBeStored => isToBeStored;

    public override Task StoreAsync(byte[]? record) => process.StoreAsync(record);

    public override void Drop() => process.State.Discard();

    public override void Settle() => process.Node.Settle(process);

    public override void Begin(string from) => process.Node.Arrive(process, finish, from, isToBeStored);
}

/// <summary>Waits until its process is at a node.</summary>
sealed class MoveWait(string destination, TimeSpan limit) : MobileWait<ValueTuple>, IDescribed
{
    [Transient] ITimer? _limit;
    [Transient] Departure? _departure;

    public string Description => $"its move to node {destination}";

    public override void Arm(Resident process)
    {
        if (process.Node.Name == destination)
        {
            Succeed(default);
            return;
        }
        _departure = new(destination, this, null);
        process.Wish(_departure);
        if (limit != Timeout.InfiniteTimeSpan)
            _limit = process.Node.Time.CreateTimer(static late => ((Late)late!).Send(), new Late(this, process), limit, Timeout.InfiniteTimeSpan);
    }

    public override void Disarm()
    {
        _limit?.Dispose();
        _departure?.TryGiveUp();
    }

    sealed class Late(MoveWait wait, Resident process) : InboxItem
    {
        public void Send() => process.Post(this);

        public override void Apply(Resident resident)
        {
            if (!wait.HasEnded && wait._departure!.TryGiveUp())
                wait.Fail(CannotMoveException.TooLate(resident, wait.Destination, wait.Limit));
        }
    }

    string Destination => destination;

    TimeSpan Limit => limit;
}
