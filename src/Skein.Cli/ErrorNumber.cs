namespace Skein.Cli;

/// <summary>What the kernel says has gone wrong (errno(3)); an <see cref="IOException"/> has it as its <see cref="Exception.HResult"/>.</summary>
static class ErrorNumber
{
    public const int Interrupted = 4, TryAgain = 11, NoSpace = 28, BrokenPipe = 32;
}
