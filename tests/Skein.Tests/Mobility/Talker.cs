using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Skein.Tests.Mobility;

/// <summary>A client that sends numbers, a few ahead, and checks that each comes back once and in order. It knows nothing of moves.</summary>
sealed class Talker : IDisposable
{
    const int Ahead = 20;

    readonly Socket _client;
    readonly SemaphoreSlim _room = new(Ahead);
    readonly CancellationTokenSource _over = new();
    int _sent, _answered;

    Talker(Socket client) => _client = client;

    /// <summary>A client, and the server's side of its connection.</summary>
    public static async Task<(Talker Client, Socket Server)> ConnectAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!).Within();
        return (new(client), await listener.AcceptAsync().Within());
    }

    public static async Task<Talker> ConnectAsync(EndPoint server)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server).Within();
        return new(client);
    }

    /// <summary>Ends after <see cref="End"/>, when all has come back and the server has closed the connection in order.</summary>
    public Task RunAsync() => Task.WhenAll(SendAsync(), ReceiveAsync());

    /// <summary>An answer to what is sent from now on.</summary>
    public Task AnswerAsync()
    {
        var sent = Volatile.Read(ref _sent);
        return Limits.Until(() => Volatile.Read(ref _answered) > sent, () => $"an answer after {sent}, of which {_answered} were answered");
    }

    public void End() => _over.Cancel();

    public void Dispose()
    {
        _client.Dispose();
        _room.Dispose();
        _over.Dispose();
    }

    async Task SendAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            await _room.WaitAsync().Within();
            await _client.SendAsync(System.Text.Encoding.ASCII.GetBytes($"{_sent + 1}\n"));
            Interlocked.Increment(ref _sent);
        }
        _client.Shutdown(SocketShutdown.Send);
    }

    async Task ReceiveAsync()
    {
        using var lines = new StreamReader(new NetworkStream(_client));
        while (await lines.ReadLineAsync().Within() is { } line)
        {
            Assert.Equal($"{_answered + 1}", line);
            Interlocked.Increment(ref _answered);
            _room.Release();
        }
        Assert.True(_over.IsCancellationRequested, $"the server has ended the connection after {_answered}");
        Assert.Equal(_sent.ToString(CultureInfo.InvariantCulture), _answered.ToString(CultureInfo.InvariantCulture));
    }
}
