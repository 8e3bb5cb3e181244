using System.Runtime.Versioning;

namespace Skein;

/// <summary>How a process is held to its memory limit.</summary>
public enum MemoryLimitKind
{
    /// <summary>The kernel does it (a control group): exact, and all that the process starts counts.</summary>
    ControlGroup,

    /// <summary>
    /// The managed heap has a hard limit, and the resident memory is looked at ten times a second: native memory may exceed the limit
    /// for a moment. In force where no control group can be made.
    /// </summary>
    HeapLimitAndWatch,
}

/// <summary>The memory limit of one worker.</summary>
[SupportedOSPlatform("linux")]
sealed class MemoryLimit : IDisposable
{
    static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(100);

    readonly long _bytes;
    Timer? _watch;
    bool _exceeded;

    MemoryLimit(long bytes, Cgroup? cgroup)
    {
        _bytes = bytes;
        Cgroup = cgroup;
    }

    public Cgroup? Cgroup { get; }

    public MemoryLimitKind Kind => Cgroup is null ? MemoryLimitKind.HeapLimitAndWatch : MemoryLimitKind.ControlGroup;

    /// <summary>Whether it was the limit that ended the process.</summary>
    public bool WasExceeded => _exceeded || Cgroup?.OutOfMemoryKills > 0;

    /// <summary>The best that can be had here; null for no limit. How little makes sense is for the options to say: a program needs less than a worker.</summary>
    public static MemoryLimit? For(long? bytes) => bytes is { } limit ? new(limit, Cgroup.TryCreate(new() { Memory = limit }, out _)) : null;

    /// <summary>Starts to look at the process where the kernel does not.</summary>
    public void Watch(int process, Action kill)
    {
        if (Cgroup is not null)
            return;
        _watch = new(_ =>
        {
            if (_exceeded || !(ProcessUse.ResidentBytes(process) > _bytes))
                return;
            _exceeded = true;
            kill();
        }, null, WatchInterval, WatchInterval);
    }

    public void Dispose()
    {
        _watch?.Dispose();
        Cgroup?.Dispose();
    }
}
