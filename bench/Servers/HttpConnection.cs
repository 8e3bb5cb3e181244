using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Skein.Bench.Servers;

/// <summary>One connection of a client that costs little: it sends what it is given, and reads answers that say their length.</summary>
sealed class HttpConnection : IDisposable
{
    readonly Socket _socket;
    readonly byte[] _buffer = new byte[4096];
    bool _wasUsed;

    HttpConnection(Socket socket) => _socket = socket;

    public static async ValueTask<HttpConnection> ConnectAsync(IPEndPoint server, CancellationToken cancellation = default)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellation);
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static byte[] Get(string path, bool keepAlive = true) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: bench\r\n{(keepAlive ? "" : "Connection: close\r\n")}\r\n");

    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default) => _socket.SendAsync(bytes, cancellation);

    /// <summary>Sends a request and reads the whole of its answer.</summary>
    /// <exception cref="KeptConnectionEndedException">The server had closed the connection meanwhile, which it may: another is to be taken.</exception>
    /// <exception cref="IOException">The connection has ended before that.</exception>
    public async ValueTask<HttpAnswer> AskAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation = default)
    {
        await _socket.SendAsync(request, cancellation);
        for (var length = 0; ;)
        {
            var read = length < _buffer.Length ? await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellation) : 0;
            if (read == 0)
                throw length == 0 && _wasUsed ? new KeptConnectionEndedException() : new IOException($"The connection ended after {length} bytes of an answer.");
            length += read;
            var head = _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (head < 0 || Whole(Encoding.ASCII.GetString(_buffer, 0, head), head + 4) is not var (whole, closes) || length < whole)
                continue;
            _wasUsed = true;
            return new(
                int.Parse(_buffer.AsSpan(9, 3), CultureInfo.InvariantCulture), Encoding.ASCII.GetString(_buffer, head + 4, whole - head - 4), closes);
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>How long the answer is with its body, and whether the connection ends with it.</summary>
    static (int Length, bool Closes)? Whole(string head, int bodyAt)
    {
        const string Length = "content-length: ", Close = "connection: close";
        var at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            throw new InvalidDataException($"An answer that does not say its length: {head}");
        var end = head.IndexOf('\r', at);
        var body = int.Parse(head.AsSpan(at + Length.Length, (end < 0 ? head.Length : end) - at - Length.Length), CultureInfo.InvariantCulture);
        return (bodyAt + body, head.Contains(Close, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>A connection that was kept has ended before the next request was heard.</summary>
sealed class KeptConnectionEndedException() : IOException("The server has closed a connection that was kept.");

/// <summary>An answer, and whether its connection ends with it.</summary>
readonly record struct HttpAnswer(int Status, string Body, bool Closes);
