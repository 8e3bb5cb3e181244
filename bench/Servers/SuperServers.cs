namespace Skein.Bench.Servers;

/// <summary>Connections a second of a super-server: a process for each (a C service of ten lines), and a C# handler that is warm.</summary>
static class SuperServers
{
    const int Clients = 16;

    public static Experiment Create(Scale scale)
    {
        var time = scale.Of(TimeSpan.FromMilliseconds(400));
        return new("super-server", $"a connection each, {Clients} clients, request and answer, to the end", Unit.PerSecond,
        [
            Server("Skein, a process each", "SuperServer, default options, c/hello.c", async () => await OwnAsync(await ServerPeers.CompileHelloAsync())),
            Server("Skein, warm handler", "SuperServer, default options, the same in C#", () => OwnAsync()),
            Server("inetd", "openbsd-inetd -i -R 0, nowait", async () => await ServerPeers.InetdAsync(await ServerPeers.CompileHelloAsync())),
            Server("xinetd", "wait = no, no limits, no log", async () => await ServerPeers.XinetdAsync(await ServerPeers.CompileHelloAsync())),
            Server("systemd-socket-activate", "--accept --inetd", async () => await ServerPeers.SystemdAsync(await ServerPeers.CompileHelloAsync())),
        ],
        [
            new("Skein, a process each", "inetd") { AtLeast = 1 },
            new("Skein, a process each", "xinetd") { AtLeast = 1 },
            new("Skein, a process each", "systemd-socket-activate") { AtLeast = 1 },
            new("Skein, warm handler", "inetd") { AtLeast = 5 },
            new("Skein, warm handler", "xinetd") { AtLeast = 5 },
            new("Skein, warm handler", "systemd-socket-activate") { AtLeast = 5 },
        ]);

        HttpServer Server(string name, string settings, Func<Task<ServerProgram>> start) =>
            new(name, settings, start, server => LoadInC.RunAsync(server.EndPoint, "/hello", Clients, time, keepAlive: false));
    }

    static Task<ServerProgram> OwnAsync(params string[] program) => ServerProgram.StartAsync(port => new(
        "dotnet", [System.Reflection.Assembly.GetExecutingAssembly().Location, BenchApplication.Argument, "super", $"{port}", .. program]));
}
