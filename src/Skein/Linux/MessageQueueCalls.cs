using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>POSIX message queues (mq_overview(7)). On Linux a queue is a descriptor: it can be passed and waited for like any other.</summary>
[SupportedOSPlatform("linux")]
static unsafe partial class MessageQueueCalls
{
    /// <summary>What an unprivileged process may ask for: messages in the queue, and bytes in a message.</summary>
    public const int MostMessages = 10, MostBytes = 8192;

    const int ReadWrite = 2, CreateNew = 0x40 | 0x80, UserOnly = 0x180;

    /// <summary>A new queue whose name is gone at once: it ends with its last descriptor.</summary>
    public static int Create(int messages, int bytes)
    {
        var name = $"/skein-{Guid.NewGuid():n}";
        var attributes = new Attributes { Flags = Libc.NonBlocking, MostMessages = messages, MessageSize = bytes };
        var queue = Open(name, ReadWrite | CreateNew | Libc.NonBlocking | Libc.CloseOnExec, UserOnly, &attributes);
        if (queue >= 0)
        {
            _ = Unlink(name);
            return queue;
        }

        var error = LinuxException.Last("mq_open");
        throw error.Error == Libc.EMFILE
            ? new IOException("No message queue is left for this user (RLIMIT_MSGQUEUE, normally 800 KB, holds about nine): dispose one, raise the limit (ulimit -q), or choose another kind of channel.", error)
            : error;
    }

    [LibraryImport("libc", EntryPoint = "mq_open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string name, int flags, int mode, Attributes* attributes);

    [LibraryImport("libc", EntryPoint = "mq_unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string name);

    [LibraryImport("libc", EntryPoint = "mq_send", SetLastError = true)]
    public static partial int Send(int queue, byte* message, nuint length, uint priority);

    [LibraryImport("libc", EntryPoint = "mq_receive", SetLastError = true)]
    public static partial nint Receive(int queue, byte* buffer, nuint length, uint* priority);

    [StructLayout(LayoutKind.Sequential)]
    struct Attributes
    {
        public nint Flags, MostMessages, MessageSize, Messages, Reserved1, Reserved2, Reserved3, Reserved4;
    }
}
