using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace Skein.Bench.Servers;

/// <summary>A server in a process of its own, with whatever that starts. It listens when it is started, and all of it ends when it is disposed of.</summary>
sealed class ServerProgram : IAsyncDisposable
{
    readonly Process _process;

    ServerProgram(Process process, IPEndPoint endpoint) => (_process, EndPoint) = (process, endpoint);

    public IPEndPoint EndPoint { get; }

    /// <param name="words">The program and its arguments, for the port that it is to listen on.</param>
    /// <param name="isHttp">It is ready when it has answered a request; else when it accepts connections.</param>
    public static async Task<ServerProgram> StartAsync(Func<int, ServerWords> words, bool isHttp = true)
    {
        var port = FreePort();
        var (program, arguments, environment) = words(port);
        var start = new ProcessStartInfo(Peers.Find(program) ?? throw new MissingPeerException($"{program} is not installed (run bench/peers/install)"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = process.StandardError.ReadToEndAsync();   // also so that it never waits for us
        _ = process.StandardOutput.ReadToEndAsync();
        var server = new ServerProgram(process, new(IPAddress.Loopback, port));
        try
        {
            await Patience.Until(() => process.HasExited || (isHttp ? HttpLoad.Answers(server.EndPoint) : HttpLoad.Accepts(server.EndPoint)), $"{program} to listen");
            return process.HasExited ? throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await said}") : server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>This program as <see cref="BenchApplication"/>.</summary>
    public static Task<ServerProgram> StartOwnAsync(string model) =>
        StartAsync(port => new("dotnet", [Assembly.GetExecutingAssembly().Location, BenchApplication.Argument, model, "--urls", $"http://127.0.0.1:{port}"]));

    /// <summary>This program as it is, served by the command.</summary>
    public static async Task<ServerProgram> StartPreforkAsync(int workers, int spares = 0)
    {
        string[] options = spares == 0 ? ["--workers", $"{workers}"] : ["--workers", $"{workers}", "--spares", $"{spares}"];
        var command = Path.Combine(Peers.Folder, "../skein");
        await Output.OfAsync(command, "--version");   // it is built if need be, which may take longer than a server may to listen
        return await StartAsync(port => new(
            command,
            ["serve", Assembly.GetExecutingAssembly().Location, .. options, "--id", "bench", "--listen", $"http://127.0.0.1:{port}", "--", BenchApplication.Argument, "plain"])
        {
            Environment = new() { ["SKEIN_HOME"] = ServerPeers.Home },
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var ask = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            try
            {
                await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(3));
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>How a server is started.</summary>
sealed record ServerWords(string Program, string[] Arguments)
{
    public Dictionary<string, string> Environment { get; init; } = [];

    public void Deconstruct(out string program, out string[] arguments, out Dictionary<string, string> environment) =>
        (program, arguments, environment) = (Program, Arguments, Environment);
}
