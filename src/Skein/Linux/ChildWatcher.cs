using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The thread that waits for children to end: one epoll over their pidfds. It waits for each of them and never for "any child", so
/// <see cref="System.Diagnostics.Process"/> can be used beside it.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ChildWatcher
{
    static readonly Lock Gate = new();
    static ChildWatcher? _shared;   // as long as the process

    readonly Dictionary<int, ChildProcess> _children = [];
    readonly HashSet<int> _ids = [];
    readonly Epoll _poll;

    ChildWatcher(Epoll poll) => _poll = poll;

    /// <summary>
    /// Made before the first child is, so that a child never exists that could not be watched. Where that fails, as without a descriptor
    /// left, it is tried again for the next one.
    /// </summary>
    public static ChildWatcher Shared
    {
        get
        {
            lock (Gate)
                return _shared ??= Start();
        }
    }

    public void Add(ChildProcess child)
    {
        lock (_children)
        {
            _children.Add(child.Descriptor, child);
            _ids.Add(child.Id);
        }

        _poll.Add(child.Descriptor, Epoll.In, (ulong)child.Descriptor);
    }

    /// <summary>Whether this number is that of none of the children that run.</summary>
    public bool IsNoChild(int id)
    {
        lock (_children)
            return !_ids.Contains(id);
    }

    static ChildWatcher Start()
    {
        ProcessDescriptor.KeepExitStatus();
        var poll = new Epoll();
        try
        {
            var watcher = new ChildWatcher(poll);
            new Thread(watcher.Watch) { IsBackground = true, Name = "Skein child watcher" }.Start();
            return watcher;
        }
        catch
        {
            poll.Dispose();   // it is tried again
            throw;
        }
    }

    void Watch()
    {
        Span<ulong> ended = stackalloc ulong[64];
        while (true)
        {
            var count = _poll.Wait(ended);
            foreach (var token in ended[..count])
            {
                var descriptor = (int)token;
                _poll.Remove(descriptor);
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
}
