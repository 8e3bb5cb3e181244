using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Skein.Bench.Servers;

/// <summary>A number of clients, each of which asks again as soon as it is answered. Every answer is compared with what is expected.</summary>
static class HttpLoad
{
    /// <summary>How many answers came within the time, by the second.</summary>
    /// <param name="latencies">Gets how long each took, in milliseconds.</param>
    /// <param name="after">Counting begins so long after the clients do.</param>
    /// <param name="spread">The clients begin one after the other within so long a time: where all are answered at once, the end of the time would cut off all or none.</param>
    public static async Task<double> RunAsync(
        IPEndPoint server, string path, int clients, TimeSpan time, bool keepAlive = true, List<double>? latencies = null, TimeSpan after = default, TimeSpan spread = default)
    {
        var (request, counted) = (HttpConnection.Get(path, keepAlive), 0);
        var begins = Stopwatch.GetTimestamp() + Ticks(after);
        var ends = begins + Ticks(time);
        using var over = new CancellationTokenSource();
        var running = Enumerable.Range(0, clients).Select(number => Task.Run(() => ClientAsync(spread * number / clients))).ToArray();
        await Task.WhenAny(Task.WhenAll(running), Task.Delay(after + time));
        await over.CancelAsync();   // also those whose server does not answer
        await Task.WhenAll(running);
        return counted / time.TotalSeconds;

        async Task ClientAsync(TimeSpan late)
        {
            HttpConnection? connection = null;
            using var registration = over.Token.Register(() => connection?.Dispose());
            try
            {
                await Task.Delay(late, over.Token);
                for (var started = Stopwatch.GetTimestamp(); started < ends; started = Stopwatch.GetTimestamp())
                {
                    connection ??= await HttpConnection.ConnectAsync(server, over.Token);
                    HttpAnswer answer;
                    try
                    {
                        answer = await connection.AskAsync(request);
                    }
                    catch (KeptConnectionEndedException)
                    {
                        connection.Dispose();
                        connection = null;
                        continue;   // as every client does
                    }

                    Check(answer);
                    var ended = Stopwatch.GetTimestamp();
                    if (ended >= begins && ended <= ends)
                        Count(Stopwatch.GetElapsedTime(started, ended));
                    if (answer.Closes || !keepAlive)
                    {
                        connection.Dispose();
                        connection = null;
                    }
                }
            }
            catch (Exception error) when (over.IsCancellationRequested && error is OperationCanceledException or SocketException or ObjectDisposedException or IOException)
            {
                // The time is over.
            }
            finally
            {
                connection?.Dispose();
            }
        }

        void Count(TimeSpan took)
        {
            Interlocked.Increment(ref counted);
            if (latencies is null)
                return;
            lock (latencies)
                latencies.Add(took.TotalMilliseconds);
        }
    }

    /// <exception cref="InvalidDataException">It is not the answer that every server is to give.</exception>
    public static void Check(HttpAnswer answer)
    {
        if (answer is not { Status: 200, Body: BenchApplication.Hello })
            throw new InvalidDataException($"{answer.Status} '{answer.Body}' is not the answer");
    }

    /// <summary>Which of a hundred values is larger than so many of them.</summary>
    public static double Percentile(List<double> values, double percent)
    {
        if (values.Count == 0)
            throw new InvalidDataException("nothing was answered");
        values.Sort();
        return values[Math.Min(values.Count - 1, (int)(values.Count * percent / 100))];
    }

    public static bool Accepts(IPEndPoint server)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(server);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Whether it answers a request now.</summary>
    public static bool Answers(IPEndPoint server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            using var connection = HttpConnection.ConnectAsync(server, limit.Token).AsTask().GetAwaiter().GetResult();
            Check(connection.AskAsync(HttpConnection.Get("/hello", keepAlive: false), limit.Token).AsTask().GetAwaiter().GetResult());
            return true;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or IOException)
        {
            return false;
        }
    }

    static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
