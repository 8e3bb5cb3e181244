namespace Skein;

/// <summary>What was asked of a server did not happen, and the server is as it was: the message says why.</summary>
sealed class ServeException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>It took too long: another time it may be possible.</summary>
    public bool IsLate { get; init; }
}
