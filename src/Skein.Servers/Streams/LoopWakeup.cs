using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Wakes a loop that waits in epoll, from any thread. Once it is closed nothing is written any more: by then its descriptor's number may be
/// somebody else's.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe class LoopWakeup : IDisposable
{
    readonly Lock _gate = new();
    int _reader, _writer, _isSet;

    public LoopWakeup()
    {
        (_reader, _writer) = Skein.Descriptor.Pipe();
        Skein.Descriptor.NeverWait(_reader);
        Skein.Descriptor.NeverWait(_writer);
    }

    /// <summary>What the loop waits for.</summary>
    public int Descriptor => _reader;

    /// <summary>The loop goes round once more. Before that, further calls cost nothing.</summary>
    public void Set()
    {
        if (Interlocked.Exchange(ref _isSet, 1) != 0)
            return;
        lock (_gate)
        {
            byte one = 1;
            if (_writer >= 0)
                _ = Libc.Write(_writer, &one, 1);
        }
    }

    /// <summary>By the loop, before it looks for what there is to do: what comes later sets it again.</summary>
    public void Clear()
    {
        var some = stackalloc byte[16];
        _ = Libc.Read(_reader, some, 16);
        Volatile.Write(ref _isSet, 0);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Skein.Descriptor.Close(ref _reader);
            Skein.Descriptor.Close(ref _writer);
        }
    }
}
