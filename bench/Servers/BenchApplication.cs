using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Skein.Bench.Servers;

/// <summary>
/// What is served: this program in a process of its own, so that a server's work and its client's are two processes, as with the peers.
/// <c>/hello</c>; <c>/block</c>, which keeps its thread for 50 ms; <c>/isolated</c>, hello by a worker process; <c>/pid</c>.
/// </summary>
static class BenchApplication
{
    public const string Argument = "--serve";
    public const string Hello = "hello\n";
    public static readonly TimeSpan Block = TimeSpan.FromMilliseconds(50);

    static readonly byte[] Bytes = Encoding.ASCII.GetBytes(Hello);

    /// <summary>How many threads run handlers that block, and so how many of them can end in a second.</summary>
    public const int Threads = 64;

    /// <param name="words">The model, or <c>plain</c> for Kestrel as it is, or <c>super</c>; then <c>--urls URL</c>, or for <c>super</c> a port and a program.</param>
    public static async Task<int> RunAsync(string[] words)
    {
        if (words is ["super", var port, .. var program] && OperatingSystem.IsLinux())
        {
            await ServeServicesAsync(int.Parse(port, CultureInfo.InvariantCulture), program);
            return 0;
        }

        var builder = WebApplication.CreateSlimBuilder(words[1..]);
        builder.Logging.ClearProviders();
        if (Model(words[0]) is { } model)
            builder.UseSkein(model);
        var application = builder.Build();
        application.MapGet("/hello", (HttpContext context) => SayAsync(context, Bytes));
        application.MapGet("/block", (HttpContext context) =>
        {
            Thread.Sleep(Block);
            return SayAsync(context, Bytes);
        });
        application.MapGet("/pid", (HttpContext context) => SayAsync(context, Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n")));
        if (words[0] == "isolated")
            application.MapGet("/isolated", (HttpContext context) => SayAsync(context, Bytes)).RunIn(Place.OsProcess, workers: 2);
        await application.RunAsync();
        return 0;
    }

    static ServerModel? Model(string word) => word switch
    {
        "iterative" => ServerModel.Iterative,
        "threaded" => ServerModel.Threaded,
        "dispatcher" => ServerModel.Dispatcher(Threads, queue: Threads),
        "event-loop" => ServerModel.EventLoop,
        _ => null,
    };

    static Task SayAsync(HttpContext context, byte[] text)
    {
        context.Response.ContentLength = text.Length;
        return context.Response.Body.WriteAsync(text, 0, text.Length);
    }

    /// <param name="program">Started for each connection; none: a handler in warm workers.</param>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    static async Task ServeServicesAsync(int port, string[] program)
    {
        var endpoint = ServiceEndpoint.Tcp(IPAddress.Loopback, port);
        await using var server = await SuperServer.StartAsync([program is [var file] ? Service.Program("hello", endpoint, file) : Service.Handler("hello", endpoint, SayHelloAsync)]);
        await Task.Delay(Timeout.InfiniteTimeSpan);   // until it is killed
    }

    /// <summary>What c/hello.c does.</summary>
    static async Task SayHelloAsync(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            var isWhole = Encoding.ASCII.GetString(read.Buffer).Contains("\r\n\r\n", StringComparison.Ordinal);
            connection.Transport.Input.AdvanceTo(isWhole ? read.Buffer.End : read.Buffer.Start, read.Buffer.End);
            if (isWhole)
                break;
            if (read.IsCompleted)
                return;
        }

        await connection.Transport.Output.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"u8.ToArray());
    }
}
