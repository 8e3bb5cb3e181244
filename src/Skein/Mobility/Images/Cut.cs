namespace Skein;

/// <summary>
/// A wish for an image of a process: to move it, to store it, to look at it. It is fulfilled between two turns, when no ordinary task is
/// awaited; or given up at its limit, whichever comes first.
/// </summary>
abstract class Cut
{
    int _phase;

    /// <summary>Whether what runs outside for the process must stop before: it goes on in one place only.</summary>
    public virtual bool Leaves => false;

    /// <summary>Whether the image is read at once, by whoever takes over.</summary>
    public virtual bool HandsOver => Leaves;

    /// <summary>Whether the image becomes the one that a store has, if one has the process.</summary>
    public virtual bool Commits => false;

    /// <summary>Who asks for it, wherever the process is. One that a wait of the process made is made again by that, where it arrives.</summary>
    public virtual Ask? Ask => null;

    /// <summary>Neither begun nor given up.</summary>
    public bool IsWished => Volatile.Read(ref _phase) == Phase.Wished;

    static class Phase
    {
        public const int Wished = 0, Begun = 1, GivenUp = 2;
    }

    public bool TryBegin() => Interlocked.CompareExchange(ref _phase, Phase.Begun, Phase.Wished) == Phase.Wished;

    public bool TryGiveUp() => Interlocked.CompareExchange(ref _phase, Phase.GivenUp, Phase.Wished) == Phase.Wished;

    /// <summary>What the image is to say and the process is not.</summary>
    public virtual void BeforeImage()
    {
    }

    public virtual void AfterImage()
    {
    }

    /// <summary>In a turn of the process. True when it ends with this and the process is in other hands.</summary>
    public abstract bool Take(Resident process, byte[] image);

    /// <summary>In a turn of the process, which goes on.</summary>
    public abstract void Fail(Exception error);
}
