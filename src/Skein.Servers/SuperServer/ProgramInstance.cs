using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>A program that runs.</summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class ProgramInstance(Source source, ChildProcess child, bool hasConnection) : ServiceInstance(source)
{
    int _connection = -1;

    public ChildProcess Child { get; } = child;

    /// <summary>Its connection was kept here too, so that it can be seen whether its client leaves.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>Whether it is known that its client has left, which is no failure of the program.</summary>
    public bool IsForsaken => _connection >= 0 && ServiceAcceptor.IsBroken(_connection);

    /// <summary>Keeps the connection until <see cref="LetGo"/>. Meanwhile its client does not see it end.</summary>
    public void Watch(int connection) => (_connection, IsWatched) = (connection, true);

    public void LetGo() => Descriptor.Close(ref _connection);

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

    /// <summary>Kills what it has started, when it has ended itself and is not yet waited for: so its number is no other's. Calls back on another thread.</summary>
    public void KillRest(Action then)
    {
        IsKilled = true;
        ThreadPool.UnsafeQueueUserWorkItem(
            rest =>
            {
                rest.Kill();
                then();
            },
            Child,
            preferLocal: false);
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
