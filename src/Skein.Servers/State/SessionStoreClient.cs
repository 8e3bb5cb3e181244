using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Caching.Distributed;

namespace Skein;

/// <summary>
/// A worker's connection to the <see cref="SessionStore"/>: a distributed cache for everything that wants one. Calls overlap; one that
/// finds the store restarting waits for it, up to <see cref="Patience"/>.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class SessionStoreClient : IDistributedCache, IDisposable
{
    readonly SemaphoreSlim _connecting = new(1, 1);
    readonly string _address;
    volatile Connection? _connection;
    bool _isDisposed;

    /// <param name="address">The path of the store's socket: see <see cref="SessionStore.Address"/>.</param>
    public SessionStoreClient(string address)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        _address = address;
    }

    /// <summary>How long a call waits for a store that is not there: 5 s by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many sessions live, and how many bytes they take.</summary>
    /// <exception cref="IOException">There is no store at the address.</exception>
    public async Task<(long Sessions, long Bytes)> CountAsync(CancellationToken cancellation = default)
    {
        var answer = await CallAsync(StoreRequest.ToBytes(StoreCall.Count, ""), cancellation).ConfigureAwait(false);
        return (BinaryPrimitives.ReadInt64LittleEndian(answer.AsSpan(1)), BinaryPrimitives.ReadInt64LittleEndian(answer.AsSpan(9)));
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">There is no store at the address.</exception>
    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        var answer = await CallAsync(StoreRequest.ToBytes(StoreCall.Get, key), token).ConfigureAwait(false);
        return answer[0] == 1 ? answer[1..] : null;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">It is larger than an eighth of the store (<see cref="SessionOptions.MaxBytes"/>).</exception>
    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(options);
        var life = options.AbsoluteExpirationRelativeToNow ?? options.AbsoluteExpiration - TimeProvider.System.GetUtcNow();
        if (life <= TimeSpan.Zero)
        {
            await RemoveAsync(key, token).ConfigureAwait(false);
            return;
        }

        var answer = await CallAsync(StoreRequest.ToBytes(StoreCall.Set, key, Milliseconds(options.SlidingExpiration ?? life), Milliseconds(life), value), token).ConfigureAwait(false);
        if (answer[0] == 0)
            throw new ArgumentException($"A session of {value.Length:N0} bytes, where {BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(1)):N0} is the most: keep what is large elsewhere.", nameof(value));
    }

    /// <inheritdoc/>
    public Task RefreshAsync(string key, CancellationToken token = default) => CallAsync(StoreRequest.ToBytes(StoreCall.Touch, key), token);

    /// <inheritdoc/>
    public Task RemoveAsync(string key, CancellationToken token = default) => CallAsync(StoreRequest.ToBytes(StoreCall.Remove, key), token);

    /// <inheritdoc/>
    public byte[]? Get(string key) => GetAsync(key).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => SetAsync(key, value, options).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Refresh(string key) => RefreshAsync(key).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Remove(string key) => RemoveAsync(key).GetAwaiter().GetResult();

    /// <summary>Leaves the store, which goes on.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _connection?.Dispose();
    }

    internal async Task<byte[]> KeyAsync(CancellationToken cancellation) =>
        (await CallAsync(StoreRequest.ToBytes(StoreCall.Key, ""), cancellation).ConfigureAwait(false))[1..];

    /// <summary>Counts the connections: a store that was started again may have another key.</summary>
    internal int Generation { get; private set; }

    static long Milliseconds(TimeSpan? time) => time is { } given ? Math.Max(1, (long)given.TotalMilliseconds) : 0;

    // All calls may be repeated: what a broken connection leaves in doubt is asked for again.
    async Task<byte[]> CallAsync(byte[] body, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                var connection = _connection is { IsOpen: true } open ? open : await ConnectAsync(cancellation).ConfigureAwait(false);
                return await connection.CallAsync(body).WaitAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or SocketException && !_isDisposed)
            {
                if (TimeProvider.System.GetElapsedTime(started) > Patience)
                    throw new IOException($"There is no store of sessions at {_address}: {error.Message}", error);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellation).ConfigureAwait(false);
            }
        }
    }

    async Task<Connection> ConnectAsync(CancellationToken cancellation)
    {
        await _connecting.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_connection is { IsOpen: true } open)
                return open;
            _connection?.Dispose();
            _connection = new(_address);
            Generation++;
            return _connection;
        }
        finally
        {
            _connecting.Release();
        }
    }

    sealed class Connection : IDisposable
    {
        readonly ConcurrentDictionary<uint, TaskCompletionSource<byte[]>> _waiting = new();
        readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        readonly FrameStream _frames;
        uint _number;
        volatile bool _isOver;

        public Connection(string address)
        {
            try
            {
                _socket.Connect(new UnixDomainSocketEndPoint(address));
                _frames = new(new NetworkStream(_socket));
            }
            catch
            {
                _socket.Dispose();
                throw;
            }

            new Thread(Read) { IsBackground = true, Name = "skein-session-client" }.Start();
        }

        public bool IsOpen => !_isOver;

        public Task<byte[]> CallAsync(byte[] body)
        {
            var number = Interlocked.Increment(ref _number);
            var answer = _waiting[number] = new(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                _frames.Write(FrameKind.Call, number, body);
            }
            catch (ObjectDisposedException)
            {
                Fail(answer);
            }

            if (_isOver)
                Fail(answer);   // the reader may have looked before it was there
            return answer.Task;
        }

        public void Dispose()
        {
            _isOver = true;
            _socket.Dispose();
        }

        static void Fail(TaskCompletionSource<byte[]> answer) => answer.TrySetException(new IOException("The store has broken the connection."));

        void Read()
        {
            try
            {
                while (_frames.Read() is { } frame)
                {
                    if (_waiting.TryRemove(frame.Number, out var answer))
                        answer.TrySetResult(frame.Body.ToArray());
                }
            }
            catch (Exception error) when (error is IOException or InvalidDataException or ObjectDisposedException)
            {
                // Those who wait are told below.
            }

            Dispose();
            foreach (var answer in _waiting.Values)
                Fail(answer);
        }
    }
}
