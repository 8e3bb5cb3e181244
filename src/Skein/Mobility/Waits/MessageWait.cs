namespace Skein;

/// <summary>Waits for the next message of a type, or for an event of a name.</summary>
sealed class MessageWait<T>(string? eventName) : MobileWait<T>, IDescribed
{
    public string Description => eventName is null ? $"a message of {SourceNames.Of(typeof(T))}" : $"the event {eventName} of {SourceNames.Of(typeof(T))}";

    public override void Arm(Resident process)
    {
    }

    public override bool Take(string? name, object? value)
    {
        if (name != eventName || value is not T taken)
            return false;
        Succeed(taken);
        return true;
    }
}
