namespace Skein.Cli;

/// <summary>
/// How the command ends where the end is its own and not that of a program it ran: the numbers of sysexits.h, and those that a
/// shell and timeout(1) use. docs/command-line.md lists them.
/// </summary>
static class ExitCode
{
    /// <summary><c>skein upgrade</c>: some processes stay in their build, and the others do not.</summary>
    public const int SomeStay = 1;

    public const int Usage = 64;
    public const int NoInput = 66;
    public const int Unavailable = 69;
    public const int Software = 70;
    public const int Temporary = 75;
    public const int Configuration = 78;

    /// <summary>The highest number of failed jobs that <c>--keep-going</c> tells; from 102 on codes have other meanings elsewhere.</summary>
    public const int ManyFailed = 101;

    public const int TimedOut = 124;
    public const int NotExecutable = 126;
    public const int NotFound = 127;
    public const int OutOfMemory = 137;

    /// <summary>As a shell reports a program that a signal ended.</summary>
    public static int OfSignal(int signal) => 128 + signal;
}
