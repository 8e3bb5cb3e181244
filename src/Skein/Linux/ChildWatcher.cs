using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The thread that waits for children to end: one epoll over their pidfds. It waits for each of them and never for "any child", so
/// <see cref="System.Diagnostics.Process"/> can be used beside it.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class ChildWatcher
{
    static readonly Lock Gate = new();
    static ChildWatcher? _shared;

    readonly Dictionary<int, ChildProcess> _children = [];
    readonly HashSet<int> _ids = [];
    readonly int _poll;

    ChildWatcher()
    {
        ProcessDescriptor.KeepExitStatus();
        _poll = Libc.Check(CreatePoll(Libc.CloseOnExec), "epoll_create1");
        new Thread(Watch) { IsBackground = true, Name = "Skein child watcher" }.Start();
    }

    /// <summary>
    /// Made before the first child is, so that a child never exists that could not be watched. Where that fails, as without a descriptor
    /// left, it is tried again for the next one.
    /// </summary>
    public static ChildWatcher Shared
    {
        get
        {
            lock (Gate)
                return _shared ??= new();
        }
    }

    public void Add(ChildProcess child)
    {
        lock (_children)
        {
            _children.Add(child.Descriptor, child);
            _ids.Add(child.Id);
        }

        var wanted = new Event { Events = (uint)Libc.PollIn, Data = child.Descriptor };
        Libc.Check(ControlPoll(_poll, 1, child.Descriptor, &wanted), "epoll_ctl");
    }

    /// <summary>Whether this number is that of none of the children that run.</summary>
    public bool IsNoChild(int id)
    {
        lock (_children)
            return !_ids.Contains(id);
    }

    void Watch()
    {
        const int Batch = 64;
        var events = stackalloc Event[Batch];
        while (true)
        {
            var count = WaitPoll(_poll, events, Batch, -1);
            for (var i = 0; i < count; i++)
            {
                var descriptor = (int)events[i].Data;
                _ = ControlPoll(_poll, 2, descriptor, null);
                ChildProcess? child;
                lock (_children)
                {
                    if (_children.Remove(descriptor, out child))
                        _ids.Remove(child.Id);
                }

                child?.Reap();
            }
        }
    }

    // epoll_event is packed on x64 only.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    struct Event
    {
        public uint Events;
        public long Data;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)] private static partial int CreatePoll(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int ControlPoll(int poll, int operation, int descriptor, Event* wanted);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitPoll(int poll, Event* events, int count, int milliseconds);
}
