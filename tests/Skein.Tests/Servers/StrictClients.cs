using System.Net.Sockets;
using System.Text;

namespace Skein.Tests.Servers;

/// <summary>
/// Clients that forgive nothing: half of them keep their connection until an answer says that it ends, half take a new one for each request.
/// No request is ever tried again, so whatever breaks is counted.
/// </summary>
sealed class StrictClients(Uri url, string path = "/") : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _running = [];
    readonly Lock _lock = new();
    readonly List<string> _failures = [];
    long _answered;

    public long Answered => Interlocked.Read(ref _answered);

    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (_lock)
                return [.. _failures];
        }
    }

    public StrictClients Start(int kept, int fresh)
    {
        for (var i = 0; i < kept + fresh; i++)
        {
            var keep = i < kept;
            _running.Add(Task.Run(() => RunAsync(keep)));
        }

        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).Within();
        _stop.Dispose();
    }

    async Task RunAsync(bool keep)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(url.Host, url.Port).Within();
                var goesOn = true;
                while (goesOn && !_stop.IsCancellationRequested)
                {
                    goesOn = await AskAsync(socket, keep) && keep;
                    Interlocked.Increment(ref _answered);
                    await Task.Delay(TimeSpan.FromMilliseconds(2));
                }
            }
            catch (Exception error) when (error is SocketException or IOException or TimeoutException)
            {
                lock (_lock)
                    _failures.Add($"{(keep ? "kept" : "new")} connection: {error.Message}");
            }
        }
    }

    /// <summary>One request; false where its answer says that the connection ends.</summary>
    async Task<bool> AskAsync(Socket socket, bool keep)
    {
        var request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {url.Authority}\r\n{(keep ? "" : "Connection: close\r\n")}\r\n");
        await socket.SendAsync(request).Within();
        var buffer = new byte[8192];
        var length = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length)).Within();
            if (read == 0)
                throw new IOException($"the connection ended after {length} bytes of the answer");
            length += read;
            var text = Encoding.ASCII.GetString(buffer, 0, length);
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head < 0 || !IsWhole(text, head))
                continue;
            if (!text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
                throw new IOException($"answered: {text[..text.IndexOf('\r')]}");
            return !text[..head].Contains("Connection: close", StringComparison.OrdinalIgnoreCase);
        }
    }

    static bool IsWhole(string text, int head)
    {
        const string Length = "Content-Length: ";
        var at = text.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || at > head)
            return text.EndsWith("0\r\n\r\n", StringComparison.Ordinal);   // chunked
        var end = text.IndexOf('\r', at);
        return text.Length - head - 4 >= int.Parse(text.AsSpan(at + Length.Length, end - at - Length.Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
