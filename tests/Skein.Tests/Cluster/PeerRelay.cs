using System.Net;
using System.Net.Sockets;

namespace Skein.Tests.Cluster;

/// <summary>Lies between two nodes: can cut their connection after so many bytes of either direction, or hold what passes. The next connection passes.</summary>
sealed class PeerRelay : IAsyncDisposable
{
    readonly Lock _gate = new();
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly Task _accepting;
    long _bytesLeft = long.MaxValue, _piecesLeft = long.MaxValue;
    TaskCompletionSource _held = new();
    TaskCompletionSource<bool> _released = new();

    /// <param name="target">Who is reached through it.</param>
    public PeerRelay(IPEndPoint target)
    {
        Target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Another one when that was started anew.</summary>
    public IPEndPoint Target { get; set; }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Bytes, of both directions and all connections.</summary>
    public long Bytes { get; private set; }

    /// <summary>What was read at once: at an exchange of small frames, a frame.</summary>
    public int Pieces { get; private set; }

    public int Cuts { get; private set; }

    /// <summary>From now on; <see cref="long.MaxValue"/>: not at all.</summary>
    public void CutAfter(long bytes)
    {
        lock (_gate)
            _bytesLeft = bytes;
    }

    /// <summary>So many pieces pass, and nothing after them until <see cref="Release"/>.</summary>
    /// <returns>Completed when something is held.</returns>
    public Task HoldAfter(int pieces)
    {
        lock (_gate)
        {
            _piecesLeft = pieces;
            (_held, _released) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
            return _held.Task;
        }
    }

    /// <param name="isLost">What was held is, with its connection, as where a whole machine is lost.</param>
    public void Release(bool isLost = false)
    {
        lock (_gate)
            _piecesLeft = long.MaxValue;
        _released.TrySetResult(!isLost);
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task AcceptAsync()
    {
        while (true)
            _ = ConnectAsync(await _listener.AcceptTcpClientAsync());
    }

    async Task ConnectAsync(TcpClient near)
    {
        var far = new TcpClient();
        try
        {
            await far.ConnectAsync(Target);
        }
        catch (SocketException)
        {
            near.Dispose();   // it was killed
            return;
        }
        await Task.WhenAll(PassAsync(near, far), PassAsync(far, near));
    }

    async Task PassAsync(TcpClient from, TcpClient to)
    {
        var bytes = new byte[16384];
        try
        {
            while (await from.GetStream().ReadAsync(bytes) is > 0 and var count)
            {
                if (!await HoldAsync())
                    return;
                var passing = Take(count);
                await to.GetStream().WriteAsync(bytes.AsMemory(0, passing));
                if (passing < count)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // the other direction was cut, or one side has left
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }

    Task<bool> HoldAsync()
    {
        lock (_gate)
        {
            Pieces++;
            if (_piecesLeft == long.MaxValue || _piecesLeft-- > 0)
                return Task.FromResult(true);
            _piecesLeft = 0;
            _held.TrySetResult();
            return _released.Task;
        }
    }

    int Take(int count)
    {
        lock (_gate)
        {
            if (count > _bytesLeft)
            {
                count = (int)_bytesLeft;
                _bytesLeft = long.MaxValue;
                Cuts++;
            }
            else if (_bytesLeft < long.MaxValue)
            {
                _bytesLeft -= count;
            }
            Bytes += count;
            return count;
        }
    }
}
