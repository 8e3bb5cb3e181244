namespace Skein;

/// <summary>Why a session is there no longer.</summary>
public enum SessionEnd
{
    /// <summary>It was removed by whoever used it.</summary>
    Removed,

    /// <summary>Nothing has used it for too long, or it was too old.</summary>
    Expired,

    /// <summary>There were too many, or they were too large, and it was the least recently used.</summary>
    Evicted,
}

/// <summary>
/// There is no such session: it has ended, or the process that held it has. Nothing can be gone on with; begin a new one.
/// </summary>
public sealed class SessionEndedException : Exception
{
    internal SessionEndedException() : base("The session has ended: start again.")
    {
    }
}
