using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Skein;

/// <summary>
/// How a running server is asked and told: a Unix socket that only its own user (and root) may open. A client sends one line, a JSON array
/// of words; the answers are JSON objects, one a line: <c>{"say": text}</c>, <c>{"data": …}</c>, and at last <c>{"end": true}</c> or
/// <c>{"end": false, "why": text}</c>, with <c>"late": true</c> where it might be possible another time.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ControlSocket : IAsyncDisposable
{
    const int LongestRequest = 64 * 1024;
    static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);

    readonly string _path;
    readonly FileStream _claim;
    readonly Socket _socket;
    readonly CancellationTokenSource _closing = new(), _closed = new();
    readonly ConcurrentDictionary<Task, bool> _running = new();
    readonly Task _accepting;

    ControlSocket(string path, FileStream claim, Socket socket)
    {
        (_path, _claim, _socket) = (path, claim, socket);
        _accepting = AcceptAsync();
    }

    /// <summary>Carries out a request; a <see cref="ServeException"/> is told to the client. To be set when the server runs.</summary>
    public Func<ControlRequest, Task> Answer { get; set; } = static _ => throw new ServeException("The server does not run yet.");

    /// <exception cref="ServeException">Another server has this socket, or it cannot be made.</exception>
    public static ControlSocket Open(string path)
    {
        FileStream claim;
        try
        {
            // The lock ends with the process that has it, however that ends; the file of a socket does not.
            claim = new(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw File.Exists(path + ".lock") && error is IOException
                ? new ServeException($"A server with this name runs already (its control socket is {path}): give this one another by --id.", error)
                : new ServeException($"The control socket {path} cannot be made: {error.Message}", error);
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);   // nobody can connect before it listens
            socket.Listen(16);
            return new(path, claim, socket);
        }
        catch (Exception error) when (error is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            claim.Dispose();
            throw new ServeException($"The control socket {path} cannot be made: {error.Message}", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);

        // Who asked for the end is told of it.
        await Task.WhenAny(Task.WhenAll(_running.Keys), Task.Delay(AnswerTime, TimeProvider.System)).ConfigureAwait(false);
        await _closed.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        File.Delete(_path);
        File.Delete(_path + ".lock");
        await _claim.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var serving = ServeAsync(await _socket.AcceptAsync(_closing.Token).ConfigureAwait(false));
                _running.TryAdd(serving, true);
                _ = serving.ContinueWith(ended => _running.TryRemove(ended, out var _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    async Task ServeAsync(Socket client)
    {
        using var stream = new NetworkStream(client, ownsSocket: true);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
        try
        {
            if (!PeerCredentials.Of(client).MayControl)
            {
                await stream.WriteAsync("{\"end\":false,\"why\":\"Only the user who started this server, and root, may ask it.\"}\n"u8.ToArray(), gone.Token).ConfigureAwait(false);
                return;
            }

            if (await ReadAsync(stream, gone.Token).ConfigureAwait(false) is not { } words)
                return;
            var request = new ControlRequest(words, stream, gone.Token);
            var left = WaitForEndAsync(stream, gone);
            string? why = null;
            var isLate = false;
            try
            {
                await Answer(request).ConfigureAwait(false);
            }
            catch (ServeException error)
            {
                (why, isLate) = (error.Message, error.IsLate);
            }
            catch (Exception error) when (error is not (IOException or OperationCanceledException or ObjectDisposedException))
            {
                why = $"This should not have happened; please report it. {error}";
            }

            await request.EndAsync(why, isLate).ConfigureAwait(false);
            await gone.CancelAsync().ConfigureAwait(false);
            await left.ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or JsonException or ObjectDisposedException)
        {
            // The client has left, or was none.
        }
    }

    static async Task WaitForEndAsync(NetworkStream stream, CancellationTokenSource gone)
    {
        try
        {
            while (await stream.ReadAsync(new byte[64], gone.Token).ConfigureAwait(false) > 0)
            {
                // A client has said all with its first line.
            }

            await gone.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Its request has been answered.
        }
    }

    static async Task<string[]?> ReadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[LongestRequest];
        var length = 0;
        while (buffer.AsSpan(0, length).IndexOf((byte)'\n') < 0)
        {
            var read = length < buffer.Length ? await stream.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false) : 0;
            if (read == 0)
                return null;
            length += read;
        }

        using var json = JsonDocument.Parse(buffer.AsMemory(0, length));
        return json.RootElement.ValueKind == JsonValueKind.Array && json.RootElement.EnumerateArray().All(word => word.ValueKind == JsonValueKind.String)
            ? [.. json.RootElement.EnumerateArray().Select(word => word.GetString()!)]
            : null;
    }
}

/// <summary>What a client of a <see cref="ControlSocket"/> asks, and how it is answered: one call after the other.</summary>
sealed class ControlRequest(string[] words, Stream client, CancellationToken gone)
{
    /// <summary>What is asked, and its arguments.</summary>
    public string[] Words => words;

    /// <summary>The client has left.</summary>
    public CancellationToken Gone => gone;

    /// <summary>A line for people.</summary>
    public Task SayAsync(string text) => WriteAsync(json => json.WriteString("say", text));

    /// <summary>An object for programs.</summary>
    public Task DataAsync(Action<Utf8JsonWriter> write) => WriteAsync(json =>
    {
        json.WriteStartObject("data");
        write(json);
        json.WriteEndObject();
    });

    public Task EndAsync(string? why, bool isLate) => WriteAsync(json =>
    {
        json.WriteBoolean("end", why is null);
        if (why is not null)
            json.WriteString("why", why);
        if (isLate)
            json.WriteBoolean("late", true);
    });

    async Task WriteAsync(Action<Utf8JsonWriter> members)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        await client.WriteAsync(line.WrittenMemory, gone).ConfigureAwait(false);
    }
}
