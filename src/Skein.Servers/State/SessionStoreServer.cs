using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Answers the workers' calls over a Unix socket, each worker on a thread of its own: they are few, and each answer takes a microsecond.</summary>
[SupportedOSPlatform("linux")]
sealed class SessionStoreServer : IDisposable
{
    readonly StoredSessions _sessions;
    readonly Socket _listener;
    readonly string _path;
    readonly HashSet<Socket> _connections = [];
    volatile bool _isOver;

    /// <exception cref="IOException">The file of durable sessions, or the socket's, cannot be used.</exception>
    public SessionStoreServer(string path, SessionOptions options)
    {
        (_path, _sessions) = (path, new(options));
        File.Delete(path);   // what a store that was killed has left behind
        _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(128);
        new Thread(Accept) { IsBackground = true, Name = "skein-session-store" }.Start();
    }

    /// <summary>The store as a process: serves until it is asked to stop.</summary>
    public static async Task RunAsync(StoreStart start, Callback<bool, bool> opened)
    {
        using var server = new SessionStoreServer(start.Path, start.Options);
        await opened.InvokeAsync(true).ConfigureAwait(false);
        var stopping = new TaskCompletionSource();
        using var registration = Here.Stopping.Register(() => stopping.TrySetResult());
        await stopping.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _isOver = true;
        _listener.Dispose();
        lock (_connections)
        {
            foreach (var connection in _connections)
                connection.Dispose();
        }

        File.Delete(_path);
        _sessions.Dispose();
    }

    void Accept()
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = _listener.Accept();
            }
            catch (SocketException) when (!_isOver)
            {
                Thread.Sleep(100);   // descriptors, or memory, come back when a worker ends
                continue;
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }

            if (!PeerCredentials.Of(connection).AreOurs)
            {
                connection.Dispose();
                continue;
            }

            lock (_connections)
                _connections.Add(connection);
            new Thread(() => Serve(connection)) { IsBackground = true, Name = "skein-session-worker" }.Start();
        }
    }

    void Serve(Socket connection)
    {
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            var frames = new FrameStream(stream);
            while (frames.Read() is { } frame)
                Answer(frames, frame);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or ObjectDisposedException)
        {
            // The worker has gone, or sent what is no call: it is told by the end of the connection.
        }

        lock (_connections)
            _connections.Remove(connection);
    }

    void Answer(FrameStream frames, in Frame frame)
    {
        var number = frame.Number;
        var request = new StoreRequest(frame.Body.Span);
        switch (request.Call)
        {
            case StoreCall.Get:
                var value = _sessions.Get(request.Name);
                Reply(frames, number, value is not null, value);
                break;
            case StoreCall.Touch:
                Reply(frames, number, _sessions.Get(request.Name) is not null);
                break;
            case StoreCall.Set when request.Value.Length > _sessions.LargestValue:
                Span<byte> largest = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(largest, _sessions.LargestValue);
                Reply(frames, number, false, largest);
                break;
            case StoreCall.Set:
                if (_sessions.Set(request.Name, request.Value.ToArray(), request.Idle, request.Life, () => Reply(frames, number, true)))
                    Reply(frames, number, true);
                break;
            case StoreCall.Remove:
                if (!_sessions.Remove(request.Name, () => Reply(frames, number, true), out var isDone) || isDone)
                    Reply(frames, number, isDone);
                break;
            case StoreCall.Key:
                Reply(frames, number, true, _sessions.Key);
                break;
            default:
                var (count, bytes) = _sessions.Count;
                Span<byte> both = stackalloc byte[16];
                BinaryPrimitives.WriteInt64LittleEndian(both, count);
                BinaryPrimitives.WriteInt64LittleEndian(both[8..], bytes);
                Reply(frames, number, true, both);
                break;
        }
    }

    static void Reply(FrameStream frames, uint number, bool found, ReadOnlySpan<byte> value = default)
    {
        var body = new byte[1 + value.Length];
        body[0] = found ? (byte)1 : (byte)0;
        value.CopyTo(body.AsSpan(1));
        try
        {
            frames.Write(FrameKind.Result, number, body);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The worker has gone meanwhile: what it asked for is done.
        }
    }
}

/// <summary>What a store's process is started with; without the clock, which is the system's there.</summary>
sealed record StoreStart(string Path, TimeSpan IdleTimeout, TimeSpan Lifetime, int MaxSessions, long MaxBytes, bool Durable, string File)
{
    public StoreStart(string path, SessionOptions options)
        : this(path, options.IdleTimeout, options.Lifetime, options.MaxSessions, options.MaxBytes, options.Durable, System.IO.Path.GetFullPath(options.File))
    {
    }

    public SessionOptions Options => new()
    {
        IdleTimeout = IdleTimeout,
        Lifetime = Lifetime,
        MaxSessions = MaxSessions,
        MaxBytes = MaxBytes,
        Durable = Durable,
        File = File,
    };
}
