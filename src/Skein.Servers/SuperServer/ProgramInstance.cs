using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A program that runs.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class ProgramInstance(Source source, ChildProcess child, bool hasConnection) : ServiceInstance(source)
{
    public ChildProcess Child { get; } = child;

    public override int? ProcessId => Child.Id;

    /// <summary>The kernel knows for TCP: the connection is looked at through the process, and no descriptor is kept for that.</summary>
    public override TimeSpan? Idle
    {
        get
        {
            if (!hasConnection || Source.Address is null)
                return null;
            var connection = (int)SystemCall(TakeDescriptor, Child.Descriptor, 0, 0);
            if (connection < 0)
                return null;
            var information = stackalloc uint[64];
            var length = 256u;
            var known = GetOption(connection, Tcp, Information, information, &length) == 0;
            _ = Libc.Close(connection);
            if (!known)
                return null;

            // Milliseconds since data were last sent and received: struct tcp_info has them after its 8 first bytes and 11th and 13th numbers.
            var since = TimeSpan.FromMilliseconds(Math.Min(information[LastSent], information[LastReceived]));
            return since < Age ? since : Age;
        }
    }

    public override string ToString() => $"process {Child.Id}";

    protected override void OnAsk() => Child.Signal(Terminate);

    // Looking for all its descendants takes a while; others are to be served meanwhile.
    protected override void OnKill() => ThreadPool.UnsafeQueueUserWorkItem(static child => child.Kill(), Child, preferLocal: false);

    const int Terminate = 15, TakeDescriptor = 438, Tcp = 6, Information = 11, LastSent = 11, LastReceived = 13;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(int socket, int level, int name, void* value, uint* length);
}
