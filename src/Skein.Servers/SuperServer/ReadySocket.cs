using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace Skein;

/// <summary>Where a program says that it is ready: sd_notify(3) with <c>READY=1</c>. A name without a file, so that nothing is left of it.</summary>
[SupportedOSPlatform("linux")]
sealed class ReadySocket : IDisposable
{
    readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public ReadySocket()
    {
        var name = $"skein-ready-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(16)}";
        _socket.Bind(new UnixDomainSocketEndPoint("\0" + name));
        Name = "@" + name;
    }

    /// <summary>For <c>NOTIFY_SOCKET</c>.</summary>
    public string Name { get; }

    public int Handle => (int)_socket.Handle;

    /// <summary>Reads one message; true where it says that the program is ready.</summary>
    public bool Receive()
    {
        Span<byte> message = stackalloc byte[4096];
        var length = _socket.Receive(message);
        return Encoding.UTF8.GetString(message[..length]).Split('\n').Contains("READY=1");
    }

    public void Dispose() => _socket.Dispose();
}
