using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Skein.Bench.Servers;

/// <summary>Clients that come at a rate whatever the server does, and leave when they have waited for too long: what a busy site sees.</summary>
static class OpenLoad
{
    /// <param name="after">Counting begins so long after the clients do.</param>
    public static async Task<OpenFigures> RunAsync(IPEndPoint server, string path, double rate, TimeSpan patience, TimeSpan time, TimeSpan after)
    {
        var request = HttpConnection.Get(path);
        var (free, refusals, answered, came) = (new ConcurrentStack<HttpConnection>(), new ConcurrentQueue<double>(), 0, 0);
        var clients = new List<Task>();
        var began = Stopwatch.GetTimestamp();
        for (var elapsed = TimeSpan.Zero; elapsed < after + time; elapsed = Stopwatch.GetElapsedTime(began))
        {
            for (; came < elapsed.TotalSeconds * rate; came++)
                clients.Add(AskAsync(counts: elapsed > after));
            await Task.Delay(TimeSpan.FromMilliseconds(1));
        }

        await Task.WhenAll(clients);
        foreach (var connection in free)
            connection.Dispose();
        return new(answered / time.TotalSeconds, [.. refusals]);

        async Task AskAsync(bool counts)
        {
            using var limit = new CancellationTokenSource(patience);
            var started = Stopwatch.GetTimestamp();
            var connection = free.TryPop(out var kept) ? kept : null;
            try
            {
                connection ??= await HttpConnection.ConnectAsync(server, limit.Token);
                var answer = await connection.AskAsync(request, limit.Token);
                if (answer.Status == 503)
                    refusals.Enqueue(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                else
                    HttpLoad.Check(answer);
                if (answer.Status == 200 && counts)
                    Interlocked.Increment(ref answered);
                if (!answer.Closes)
                {
                    free.Push(connection);
                    connection = null;
                }
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or SocketException)
            {
                // It has given up, or was sent away: no answer.
            }
            finally
            {
                connection?.Dispose();
            }
        }
    }
}

/// <summary>How many were answered in a second, each while its client still waited; and how long it took to tell others that they are not, in milliseconds.</summary>
sealed record OpenFigures(double Answered, List<double> Refusals);
