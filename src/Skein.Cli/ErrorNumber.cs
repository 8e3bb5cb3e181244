namespace Skein.Cli;

/// <summary>What the kernel says has gone wrong (errno(3)); an <see cref="IOException"/> has it as its <see cref="Exception.HResult"/>.</summary>
static class ErrorNumber
{
    public const int Interrupted = 4, TryAgain = 11, BrokenPipe = 32;

    const int TooManyFiles = 23, TooManyFilesHere = 24, NoSpace = 28, NoQuota = 122;

    /// <summary>Whether something has run out that may be there again later.</summary>
    public static bool IsShortage(Exception error) => error.HResult is TooManyFiles or TooManyFilesHere or NoSpace or NoQuota;
}
