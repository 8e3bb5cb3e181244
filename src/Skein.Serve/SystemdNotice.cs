using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Skein.Serve;

/// <summary>
/// Tells systemd, or whoever else has set <c>NOTIFY_SOCKET</c>, how the server is: sd_notify(3). What is told arrives in order; who does not read
/// it holds up nobody.
/// </summary>
sealed class SystemdNotice : IAsyncDisposable
{
    // The last word is worth a moment.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    readonly Channel<string> _said = Channel.CreateUnbounded<string>();
    readonly TimeProvider _time;
    readonly Socket? _socket;
    readonly ITimer? _watchdog;
    readonly Task _sending = Task.CompletedTask;

    public SystemdNotice(TimeProvider time)
    {
        _time = time;
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

        _sending = SendAsync();
        var forUs = Environment.GetEnvironmentVariable("WATCHDOG_PID") is not { Length: > 0 } id || id == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (forUs && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0)
        {
            var half = TimeSpan.FromMicroseconds(microseconds / 2.0);
            _watchdog = time.CreateTimer(_ => TellAlive(), null, half, half);
        }
    }

    public void Tell(PreforkPhase phase) => _said.Writer.TryWrite(phase switch
    {
        PreforkPhase.Serving => "READY=1\nSTATUS=serving",
        PreforkPhase.Reloading => $"RELOADING=1\nMONOTONIC_USEC={Now}\nSTATUS=reloading",
        _ => "STOPPING=1\nSTATUS=draining",
    });

    // While something waits to be sent this one would say nothing new.
    void TellAlive()
    {
        if (_said.Reader.Count == 0)
            _said.Writer.TryWrite("WATCHDOG=1");
    }

    // CLOCK_MONOTONIC, to the microsecond: a notice that seems to be older than the request to reload is ignored, and the ticks of
    // Environment are some milliseconds late.
    static long Now => (long)TimeProvider.System.GetElapsedTime(0).TotalMicroseconds;

    public async ValueTask DisposeAsync()
    {
        if (_watchdog is not null)
            await _watchdog.DisposeAsync().ConfigureAwait(false);
        _said.Writer.TryComplete();
        await Task.WhenAny(_sending, Task.Delay(Patience, _time)).ConfigureAwait(false);
        _socket?.Dispose();
    }

    async Task SendAsync()
    {
        await foreach (var text in _said.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await _socket!.SendAsync(Encoding.UTF8.GetBytes(text)).ConfigureAwait(false);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // Nobody listens: that is not the server's concern.
            }
        }
    }
}
