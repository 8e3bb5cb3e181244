namespace Skein;

/// <summary>Why a handler was interrupted.</summary>
public enum InterruptionCause
{
    /// <summary>Its client has left, or its connection is broken.</summary>
    ClientLeft,

    /// <summary>It took longer than the server allows.</summary>
    TimedOut,

    /// <summary>Somebody who knows its name or its key has cancelled it, on another connection.</summary>
    Cancelled,

    /// <summary>Its client has sent TCP urgent data, on the same connection.</summary>
    UrgentData,
}
