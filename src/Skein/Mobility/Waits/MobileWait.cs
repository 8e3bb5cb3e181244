namespace Skein;

/// <summary>Something outside of its process that it waits for. It can be described, so it travels; what carries it out does not.</summary>
interface IMobileWait
{
    /// <summary>Its neighbours in the list of its process; both null elsewhere.</summary>
    IMobileWait? Before { get; set; }

    IMobileWait? After { get; set; }

    /// <summary>Starts what is waited for: when it is made, and again in each place that the process arrives at.</summary>
    void Arm(Resident process);

    /// <summary>The process has left this place, or has ended.</summary>
    void Disarm();

    /// <summary>The process wants to leave: asks what runs here to stop. True while it has not yet.</summary>
    bool IsStopping();

    /// <summary>It stays after all.</summary>
    void Resume(Resident process);

    /// <summary>Takes a message, or an event of this name, if it waits for one of this type.</summary>
    bool Take(string? name, object? value);
}

/// <summary>The base of all waits.</summary>
abstract class MobileWait<T> : MobileFrame<T>, IMobileWait
{
    public IMobileWait? Before { get; set; }

    public IMobileWait? After { get; set; }

    public abstract void Arm(Resident process);

    public virtual void Disarm()
    {
    }

    public virtual bool IsStopping() => false;

    public virtual void Resume(Resident process)
    {
    }

    public virtual bool Take(string? name, object? value) => false;

    /// <summary>Enters the list of its process and starts.</summary>
    public void Begin(Resident process)
    {
        process.Waits.Add(this);
        Arm(process);

    }

    protected override void Release()
    {
        Resident.Require().Waits.Remove(this);
        Disarm();
    }
}
