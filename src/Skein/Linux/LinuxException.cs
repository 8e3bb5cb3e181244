using System.Runtime.InteropServices;

namespace Skein;

/// <summary>A system call failed: which one, and why.</summary>
sealed class LinuxException : IOException
{
    // Not by Win32Exception, whose assembly cannot be loaded any more when descriptors have run out.
    public LinuxException(string call, int error) : base($"{call}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})", error)
    {
        Call = call;
        Error = error;
    }

    /// <summary>What was tried.</summary>
    public string Call { get; }

    /// <summary>The error number, as in <c>errno.h</c>.</summary>
    public int Error { get; }

    /// <summary>The error that the last call of this thread left behind.</summary>
    public static LinuxException Last(string call) => new(call, Marshal.GetLastPInvokeError());
}
