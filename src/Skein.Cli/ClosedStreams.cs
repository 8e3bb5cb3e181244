namespace Skein.Cli;

/// <summary>
/// A standard stream that the caller has closed (<c>skein … &lt;&amp;-</c>). Its number then belongs to the next thing that is opened, which is
/// one of the runtime's own: to read or write there would hang, or harm it.
/// </summary>
static class ClosedStreams
{
    static readonly string[] Redirections = ["</dev/null", ">/dev/null", "2>/dev/null"];

    /// <summary>Where one is closed, this process begins anew with nothing in its place: empty input, output that nobody sees.</summary>
    public static void Replace()
    {
        var closed = string.Join(' ', Redirections.Where((_, descriptor) => IsClosed(descriptor)));
        if (closed.Length > 0)
            throw Replacement.By("/bin/sh", ["-c", $"exec \"$@\" {closed}", "sh", DotnetHost.Path, .. Environment.GetCommandLineArgs()]);
    }

    // What was inherited has come through an execve; all that the runtime opens is closed by one. So the shell finds the number free.
    static bool IsClosed(int descriptor) => Native.Control(descriptor, Native.GetDescriptorFlags, 0) is < 0 or Native.CloseOnExec;
}
