using System.Diagnostics;
using System.Globalization;

namespace Skein.Bench.Servers;

/// <summary>
/// One of two workers is killed with SIGKILL while clients ask. The figure is the time from the kernel's notice of its end to the first answer of
/// the worker that takes its place. Only what was on the killed one may fail: of each client at most one request.
/// </summary>
static class WorkerKill
{
    const int Clients = 8;

    public static Experiment Create(Scale scale) => new(
        "worker-kill", $"kill -9 of one of two workers under load, {Clients} clients, to the first answer of the next", Unit.Milliseconds,
        [
            new HttpServer("Skein, a spare", "skein serve --workers 2 --spares 1", () => ServerProgram.StartPreforkAsync(workers: 2, spares: 1), async server =>
            {
                await WaitForSpareAsync();   // the one before has taken somebody's place
                return await MeasureAsync(server);
            }),
            new HttpServer("gunicorn sync", "-w 2", () => ServerPeers.GunicornAsync("sync", workers: 2), MeasureAsync),
        ],
        [
            new("Skein, a spare", "gunicorn sync") { AtMost = 100 },
        ]);

    static async Task WaitForSpareAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Patience.Limit)
        {
            using var ask = Process.Start(new ProcessStartInfo(Path.Combine(Peers.Folder, "../skein"), ["ps", "--json"]) { RedirectStandardOutput = true, Environment = { ["SKEIN_HOME"] = ServerPeers.Home } })!;
            var states = await ask.StandardOutput.ReadToEndAsync();
            await ask.WaitForExitAsync();
            if (states.Split("\"state\":\"ready\"").Length == 2)
                return;
        }

        throw new TimeoutException("waited in vain for the spare");
    }

    static async Task<double> MeasureAsync(ServerProgram server)
    {
        var (request, answered, gate) = (HttpConnection.Get("/pid", keepAlive: false), new Dictionary<int, long>(), new Lock());
        var isOver = false;
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(AskAsync)).ToArray();
        try
        {
            await Patience.Until(() => Known().Length == 2 || HasFailed(), "both workers to answer");
            var before = Known();
            using var end = new EndOfProcess(before[0]);
            var noticed = end.KillAndWait();
            await Patience.Until(() => Known().Length > 2 || HasFailed(), "the next worker to answer");
            Volatile.Write(ref isOver, true);
            await Task.WhenAll(clients).WaitAsync(Patience.Limit);
            lock (gate)
                return Stopwatch.GetElapsedTime(noticed, answered.Single(worker => !before.Contains(worker.Key)).Value).TotalMilliseconds;
        }
        finally
        {
            Volatile.Write(ref isOver, true);
        }

        int[] Known()
        {
            lock (gate)
                return [.. answered.Keys];
        }

        bool HasFailed() => clients.Any(client => client.IsFaulted);

        async Task AskAsync()
        {
            for (var failed = 0; !Volatile.Read(ref isOver);)
            {
                try
                {
                    using var connection = await HttpConnection.ConnectAsync(server.EndPoint);
                    var answer = await connection.AskAsync(request);
                    var worker = answer.Status == 200 ? int.Parse(answer.Body, CultureInfo.InvariantCulture) : throw new InvalidDataException($"answered {answer.Status}");
                    lock (gate)
                        answered.TryAdd(worker, Stopwatch.GetTimestamp());
                }
                catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException && failed++ == 0)
                {
                    // It was on the worker that was killed.
                }
            }
        }
    }
}
