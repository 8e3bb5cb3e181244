using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Bench.Servers;

/// <summary>
/// A client has sent 4 MB that wait for a busy handler, and interrupts it by TCP urgent data. The figure is the time from the sending of the urgent
/// byte to the cancelling of the handler's token (p50); without it, to the moment in which the handler has read its way to the byte.
/// </summary>
[SupportedOSPlatform("linux")]
static class UrgentInterruption
{
    const int Queued = 4 << 20;

    public static Experiment Create(Scale scale)
    {
        var count = scale.Of(20);
        return new("urgent", "TCP urgent data behind 4 MB that wait, to the cancelled token (p50)", Unit.Milliseconds,
        [
            new Local("Skein", "SkeinServer, ReadAhead = 8 MB, the handler does not read", () => MedianAsync(count, reads: false)),
            new Local("in order", "the same byte after 4 MB, read 4 KB at a time with 0.5 ms of work each", () => MedianAsync(1, reads: true)),
        ],
        [
            new("Skein", "in order") { AtMost = 5 },
        ]);
    }

    static async Task<double> MedianAsync(int count, bool reads)
    {
        var heard = new TaskCompletionSource<long>();
        await using var server = await SkeinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), connection => reads ? ReadAsync(connection, heard) : WaitAsync(connection, () => heard), ServerModel.Threaded, new() { ReadAhead = 2 * Queued });
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(server.EndPoint);
            await SendAllAsync(client, new byte[Queued]);
            await Patience.Until(() => server.Connections.Any(row => row.BytesReceived >= (reads ? 1 : Queued)), "the bytes to wait for the handler");
            var sent = Stopwatch.GetTimestamp();
            await client.SendAsync(new byte[] { 1 }, reads ? SocketFlags.None : SocketFlags.OutOfBand);
            times.Add(Stopwatch.GetElapsedTime(sent, await heard.Task.Within()).TotalMilliseconds);
        }

        return HttpLoad.Percentile(times, 50);
    }

    static async Task WaitAsync(ConnectionContext connection, Func<TaskCompletionSource<long>> heard)
    {
        try
        {
            await Task.Delay(Patience.Limit, connection.Features.Get<Interruption>()!.Token);
        }
        catch (OperationCanceledException)
        {
            heard().TrySetResult(Stopwatch.GetTimestamp());
        }
    }

    static async Task ReadAsync(ConnectionContext connection, TaskCompletionSource<long> heard)
    {
        for (long seen = 0; seen <= Queued;)
        {
            var read = await connection.Transport.Input.ReadAsync();
            var part = Math.Min(4096, read.Buffer.Length);
            connection.Transport.Input.AdvanceTo(read.Buffer.GetPosition(part));
            seen += part;
            var started = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(0.5))
                Thread.SpinWait(100);
            if (read.IsCompleted)
                return;
        }

        heard.TrySetResult(Stopwatch.GetTimestamp());
    }

    static async Task SendAllAsync(Socket socket, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent));
    }
}
