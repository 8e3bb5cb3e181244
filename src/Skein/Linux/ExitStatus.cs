namespace Skein;

/// <summary>How a child ended.</summary>
/// <param name="Code">What it returned; -1 where a signal ended it.</param>
/// <param name="Signal">The signal that ended it; 0: none did.</param>
readonly record struct ExitStatus(int Code, int Signal, bool CoreDumped, ResourceUse Use)
{
    /// <summary>Somebody else in this process (a library that waits for any child) took the status away; we only know that it ended.</summary>
    public static ExitStatus Lost { get; } = new(-1, 0, false, default);
}
