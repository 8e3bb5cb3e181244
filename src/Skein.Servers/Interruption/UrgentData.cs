using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Hears TCP urgent data on connections, however much is queued before it. The kernel announces it by a signal (SIGURG) as soon as the
/// first segment says that it comes, long before the byte itself is here; it does not say on which connection, so all are asked.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class UrgentData : IDisposable
{
    const int SetOwner = 8, UrgentSignal = 23;
    const int OutOfBand = 1, DoNotWait = 0x40;

    static readonly ConcurrentDictionary<UrgentData, byte> All = new();

    static readonly Lazy<PosixSignalRegistration> Signal = new(() => PosixSignalRegistration.Create((PosixSignal)UrgentSignal, context =>
    {
        context.Cancel = true;
        foreach (var connection in All.Keys)
            connection.Ask();
    }));

    readonly Lock _gate = new();
    readonly int _descriptor;
    readonly SafeHandle? _handle;
    readonly Action _heard;
    bool _isAnnounced, _isOver;

    UrgentData(int descriptor, SafeHandle? handle, Action heard) => (_descriptor, _handle, _heard) = (descriptor, handle, heard);

    /// <summary>From now on the action is called for each urgent byte, on the thread pool. Dispose before the descriptor is closed.</summary>
    public static UrgentData Listen(int descriptor, Action heard) => Listen(new UrgentData(descriptor, null, heard));

    /// <summary>The same, where others close the descriptor as they like.</summary>
    public static UrgentData Listen(SafeHandle handle, Action heard) => Listen(new UrgentData((int)handle.DangerousGetHandle(), handle, heard));

    static UrgentData Listen(UrgentData listening)
    {
        _ = Signal.Value;
        All[listening] = 0;
        _ = Libc.Control(listening._descriptor, SetOwner, Environment.ProcessId);   // fails for what is no TCP connection, which has no such data
        return listening;
    }

    public void Dispose()
    {
        lock (_gate)
            _isOver = true;
        All.TryRemove(this, out _);
    }

    /// <summary>How many bytes can be read before the next urgent one, or in all where none is known.</summary>
    public static int ReadableBefore(int descriptor)
    {
        const nuint BytesReadable = 0x541B;
        int count;
        return Control(descriptor, BytesReadable, &count) < 0 ? 0 : count;
    }

    /// <summary>The next byte of the stream is an urgent one, here or announced.</summary>
    public static bool IsAtMark(int descriptor)
    {
        const nuint AtMark = 0x8905;
        int isAtMark;
        return Control(descriptor, AtMark, &isAtMark) >= 0 && isAtMark != 0;
    }

    /// <summary>Looks whether any is there, and says so.</summary>
    public void Ask()
    {
        bool isNew;
        lock (_gate)
        {
            if (_isOver)
                return;
            var (has, comes) = Look();
            isNew = (has || comes) && !_isAnnounced;
            _isAnnounced = comes;   // its byte will be no second one
        }

        if (isNew)
            _heard();
    }

    (bool Has, bool Comes) Look()
    {
        var isHeld = false;
        try
        {
            _handle?.DangerousAddRef(ref isHeld);
            byte value;
            var has = Receive(_descriptor, &value, 1, OutOfBand | DoNotWait) == 1;
            return (has, !has && Marshal.GetLastPInvokeError() == Libc.EAGAIN);
        }
        catch (ObjectDisposedException)
        {
            return default;   // closed in this moment
        }
        finally
        {
            if (isHeld)
                _handle!.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)] private static partial int Control(int socket, nuint request, int* value);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)] private static partial nint Receive(int socket, byte* bytes, nuint length, int flags);
}
