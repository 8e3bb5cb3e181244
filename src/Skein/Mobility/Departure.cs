namespace Skein;

/// <summary>The wish to go on at another node: of the process itself (a wait), or of an operator (a task).</summary>
sealed class Departure(string destination, MoveWait? wait) : Cut
{
    readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override bool Leaves => true;

    public override bool IsAskedOutside => wait is null;

    /// <summary>For an operator.</summary>
    public Task Arrived => _arrived.Task;

    public override void Take(Resident process, byte[] image)
    {
        try
        {
            process.MoveTo(destination, image);
            _arrived.TrySetResult();
        }
        catch (CannotMoveException e)
        {
            Fail(e);
        }
    }

    public override void Fail(Exception error)
    {
        wait?.Fail(error);
        _arrived.TrySetException(error);
        _ = _arrived.Task.Exception;   // seen: the operator may have gone
    }
}

/// <summary>Waits until its process is at a node.</summary>
sealed class MoveWait(string destination, TimeSpan limit) : MobileWait<ValueTuple>
{
    [Transient] ITimer? _limit;
    [Transient] Departure? _departure;

    public override void Arm(Resident process)
    {
        if (process.Node.Name == destination)
        {
            Succeed(default);
            return;
        }
        _departure = new(destination, this);
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
