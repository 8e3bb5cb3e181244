using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Skein.Serve;

/// <summary>Tells systemd, or whoever else has set <c>NOTIFY_SOCKET</c>, how the server is: sd_notify(3).</summary>
sealed class SystemdNotice : IDisposable
{
    readonly Socket? _socket;
    readonly ITimer? _watchdog;

    public SystemdNotice(TimeProvider time)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } path)
            return;
        try
        {
            _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            _socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException)
        {
            _socket?.Dispose();
            _socket = null;
            return;
        }

        var forUs = Environment.GetEnvironmentVariable("WATCHDOG_PID") is not { Length: > 0 } id || id == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (forUs && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0)
        {
            var half = TimeSpan.FromMicroseconds(microseconds / 2.0);
            _watchdog = time.CreateTimer(_ => Send("WATCHDOG=1"), null, half, half);
        }
    }

    public void Tell(PreforkPhase phase) => Send(phase switch
    {
        PreforkPhase.Serving => "READY=1\nSTATUS=serving",
        PreforkPhase.Reloading => $"RELOADING=1\nMONOTONIC_USEC={Now}\nSTATUS=reloading",
        _ => "STOPPING=1\nSTATUS=draining",
    });

    // CLOCK_MONOTONIC, to the microsecond: a notice that seems to be older than the request to reload is ignored, and the ticks of
    // Environment are some milliseconds late.
    static long Now => (long)TimeProvider.System.GetElapsedTime(0).TotalMicroseconds;

    public void Dispose()
    {
        _watchdog?.Dispose();
        _socket?.Dispose();
    }

    void Send(string text)
    {
        try
        {
            _socket?.Send(Encoding.UTF8.GetBytes(text));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Nobody listens: that is not the server's concern.
        }
    }
}
