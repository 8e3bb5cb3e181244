using System.Text;

namespace Skein.Bench.Servers;

/// <summary>Five hundred clients send half a request and then nothing: what the others are still served, in parts of what they are served without those.</summary>
static class SlowClients
{
    const int Clients = 16, Slow = 500;

    public static Experiment Create(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(800));
        return new("slow-clients", $"throughput of {Clients} clients beside {Slow} that have sent half a request", Unit.Percent,
        [
            Server("Iterative", () => ServerProgram.StartOwnAsync("iterative")),
            Server("Threaded", () => ServerProgram.StartOwnAsync("threaded")),
            Server("Dispatcher", () => ServerProgram.StartOwnAsync("dispatcher")),
            Server("EventLoop", () => ServerProgram.StartOwnAsync("event-loop")),
            new HttpServer("gunicorn sync", "-k sync -w 2", () => ServerPeers.GunicornAsync("sync", workers: 2), server => RatioAsync(server, time)),
        ],
        [
            new("Iterative", "gunicorn sync") { Reaches = 95 },
            new("Threaded", "gunicorn sync") { Reaches = 95 },
            new("Dispatcher", "gunicorn sync") { Reaches = 95 },
            new("EventLoop", "gunicorn sync") { Reaches = 95 },
        ]);

        HttpServer Server(string model, Func<Task<ServerProgram>> start) =>
            new(model, $"UseSkein(ServerModel.{model}), default options", start, server => RatioAsync(server, time));
    }

    static async Task<double> RatioAsync(ServerProgram server, TimeSpan time)
    {
        // Before and after, half as long each: what the processor and the compiler do meanwhile cancels out.
        var before = await LoadInC.RunAsync(server.EndPoint, "/hello", Clients, time / 2);
        var beside = await BesideAsync(server, time);
        var after = await LoadInC.RunAsync(server.EndPoint, "/hello", Clients, time / 2);
        return beside / ((before + after) / 2) * 100;
    }

    static async Task<double> BesideAsync(ServerProgram server, TimeSpan time)
    {
        var slow = new List<HttpConnection>();
        try
        {
            for (var i = 0; i < Slow; i++)
            {
                slow.Add(await HttpConnection.ConnectAsync(server.EndPoint).AsTask().Within());
                await slow[^1].SendAsync(Encoding.ASCII.GetBytes("GET /hello HTTP/1.1\r\nHost: be"));
            }

            return await LoadInC.RunAsync(server.EndPoint, "/hello", Clients, time);
        }
        finally
        {
            slow.ForEach(connection => connection.Dispose());
        }
    }
}
