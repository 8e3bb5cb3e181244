using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The one thread of this process that waits for all its channels: in epoll, for data, bells and ends of file. It starts with the
/// first channel between processes, and does nothing but tell the end concerned.
/// </summary>
[SupportedOSPlatform("linux")]
static class Watcher
{
    static readonly Epoll Epoll = new();
    static readonly Dictionary<ulong, WeakReference<ChannelEnd>> Ends = [];
    static readonly Lock Gate = new();
    static ulong _last;
    static bool _started;

    /// <summary>Watches an end's lifeline until <see cref="Forget"/>; gives the token for its data.</summary>
    /// <remarks>The end is held weakly: one that nobody refers to any more is finalized, and the other side sees that it is gone.</remarks>
    public static ulong Add(ChannelEnd end, int lifeline)
    {
        lock (Gate)
        {
            if (!_started)
            {
                _started = true;
                new Thread(Run, 256 * 1024) { IsBackground = true, Name = "Skein channels" }.Start();
            }

            Ends.Add(++_last, new(end));
            Epoll.Add(lifeline, Epoll.In | Epoll.PeerHangUp | Epoll.EdgeTriggered, _last);
            return _last;
        }
    }

    /// <summary>Asks to be told once when a descriptor is ready.</summary>
    public static void Arm(int descriptor, uint events, ulong token, bool known)
    {
        if (known)
            Epoll.Change(descriptor, events | Epoll.OneShot, token);
        else
            Epoll.Add(descriptor, events | Epoll.OneShot, token);
    }

    public static void Forget(ulong token, int lifeline, ReadOnlySpan<int> descriptors)
    {
        Epoll.Remove(lifeline);
        foreach (var descriptor in descriptors)
            Epoll.Remove(descriptor);
        lock (Gate)
            Ends.Remove(token);
    }

    static void Run()
    {
        Span<ulong> tokens = stackalloc ulong[64];
        while (true)
        {
            var count = Epoll.Wait(tokens);
            foreach (var token in tokens[..count])
                Find(token)?.OnReady();
        }
    }

    static ChannelEnd? Find(ulong token)
    {
        lock (Gate)
            return Ends.TryGetValue(token, out var end) && end.TryGetTarget(out var found) ? found : null;
    }
}
