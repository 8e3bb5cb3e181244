namespace Skein;

/// <summary>A connection that can carry open descriptors beside its messages: what the ends of channels travel with.</summary>
abstract class DescriptorCarrier
{
    /// <summary>Whether it can: a plain stream of bytes cannot.</summary>
    public virtual bool CarriesDescriptors => true;

    /// <summary>Sends a descriptor with the message that is being written; it stays open here.</summary>
    /// <returns>The number to write into the message.</returns>
    public abstract int Attach(int descriptor);

    /// <summary>The descriptor that came with a message, by the number that was read from it. The caller owns it; each is taken once.</summary>
    public abstract int Take(int number);

    /// <summary>Runs once the message that is being written has left this process: then what went with it belongs to the other one.</summary>
    public virtual void WhenSent(Action action) => action();
}
