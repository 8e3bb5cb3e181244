using System.Runtime.InteropServices;
using System.Text;

namespace Skein.Cli;

/// <summary>
/// Standard output or standard error, as bytes. Not a FileStream, which writes at a position of its own and so over what other
/// programs append to the same file; not the console's stream, which hides that the reader has gone.
/// </summary>
sealed class StandardStream(int descriptor, string name)
{
    public static StandardStream Output { get; } = new(1, "standard output");

    public static StandardStream Error { get; } = new(2, "standard error");

    public bool IsTerminal { get; } = Native.IsTerminal(descriptor) == 1;

    /// <summary>On a terminal, which both streams share where both are one: whether what was written last has left the cursor within a line.</summary>
    public static bool IsInLine { get; set; }

    /// <exception cref="CommandFailure">It cannot be written to. If the reader has gone, as with <c>| head</c>: without a message, 141 as SIGPIPE would.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (IsTerminal && !bytes.IsEmpty)
            IsInLine = bytes[^1] != '\n';
        while (!bytes.IsEmpty)
        {
            var written = Native.Write(descriptor, bytes, (nuint)bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case ErrorNumber.Interrupted:
                    break;
                case ErrorNumber.TryAgain: // some other program made the terminal or pipe we share non-blocking
                    Native.WaitFor(descriptor, Native.Writable);
                    break;
                case ErrorNumber.BrokenPipe:
                    throw new CommandFailure(ExitCode.OfSignal(13), "");
                case var error:
                    throw new CommandFailure(ExitCode.Temporary, $"{name} cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
    }

    public void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    /// <summary>For what the command has to say itself: where it cannot be written, nobody is left to be told so.</summary>
    public void TryWrite(string text)
    {
        try
        {
            Write(text);
        }
        catch (CommandFailure)
        {
            // What was to be said is no more important than what goes on.
        }
    }
}
