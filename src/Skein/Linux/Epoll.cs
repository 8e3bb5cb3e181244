using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Waiting until one of many descriptors is ready (epoll(7)).</summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class Epoll : IDisposable
{
    public const uint In = 1, Out = 4, Error = 8, HangUp = 16, PeerHangUp = 0x2000, OneShot = 1u << 30, EdgeTriggered = 1u << 31;
    const int AddOperation = 1, RemoveOperation = 2, ChangeOperation = 3, CloseOnExec = 0x80000;

    // struct epoll_event is packed on x64 only.
    static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    int _descriptor = Libc.Check(Create(CloseOnExec), "epoll_create1");

    public void Add(int descriptor, uint events, ulong token) => Change(AddOperation, descriptor, events, token);

    public void Change(int descriptor, uint events, ulong token) => Change(ChangeOperation, descriptor, events, token);

    /// <summary>Must come before the descriptor is closed: the kernel forgets an open file only when the last process closes it.</summary>
    public void Remove(int descriptor) => _ = Control(_descriptor, RemoveOperation, descriptor, null);

    /// <summary>
    /// Takes descriptors out of every epoll of this process, the runtime's too. To close one does that only where no other process has the same open
    /// file; otherwise the entry stays, and is in the way when the open file comes back under the same number.
    /// </summary>
    public static void Forget(IReadOnlyCollection<int> descriptors)
    {
        foreach (var open in new DirectoryInfo("/proc/self/fd").GetFileSystemInfos())
        {
            if (!IsEpoll(open))
                continue;
            foreach (var descriptor in descriptors)
                _ = Control(int.Parse(open.Name, CultureInfo.InvariantCulture), RemoveOperation, descriptor, null);
        }
    }

    /// <summary>Waits, by default without limit, and gives the tokens of what is ready.</summary>
    public int Wait(Span<ulong> tokens, int milliseconds = -1)
    {
        var events = stackalloc byte[tokens.Length * EventSize];
        int count;
        while ((count = Wait(_descriptor, events, tokens.Length, milliseconds)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EINTR)
                throw LinuxException.Last("epoll_wait");
        }

        for (var i = 0; i < count; i++)
            tokens[i] = BinaryPrimitives.ReadUInt64LittleEndian(new(events + (i + 1) * EventSize - 8, 8));
        return count;
    }

    public void Dispose() => Descriptor.Close(ref _descriptor);

    static bool IsEpoll(FileSystemInfo open)
    {
        try
        {
            return open.LinkTarget == "anon_inode:[eventpoll]";
        }
        catch (IOException)   // it has been closed meanwhile
        {
            return false;
        }
    }

    void Change(int operation, int descriptor, uint events, ulong token)
    {
        var change = stackalloc byte[EventSize];
        *(uint*)change = events;
        BinaryPrimitives.WriteUInt64LittleEndian(new(change + EventSize - 8, 8), token);
        Libc.Check(Control(_descriptor, operation, descriptor, change), "epoll_ctl");
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)] private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int Wait(int epoll, byte* events, int count, int milliseconds);
}
