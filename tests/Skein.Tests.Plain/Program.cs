// The first argument says how the host is built; everything else is the same application.
using System.Globalization;
using System.Runtime.Loader;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

var kind = args is [var first, ..] && !first.StartsWith('-') ? first : "web";
if (Environment.GetEnvironmentVariable("WEB_FAILS") is { } failure)
    throw new InvalidOperationException(failure);
if (kind == "nothing")
    return;
if (File.Exists("broken.txt"))
    throw new InvalidOperationException(File.ReadAllText("broken.txt"));
if (File.Exists("hangs.txt"))
    Thread.Sleep(Timeout.Infinite);

if (File.Exists("one-fails.txt") || File.Exists("one-failed.txt"))
{
    try
    {
        File.Move("one-fails.txt", "one-failed.txt", overwrite: false);   // only one of several can
    }
    catch (IOException)
    {
        Thread.Sleep(Timeout.Infinite);
    }

    throw new InvalidOperationException("the first of several");
}

while (File.Exists(Environment.GetEnvironmentVariable("WEB_GATE") ?? "waits.txt"))
    Thread.Sleep(5);

if (kind == "own-telemetry" && File.Exists("OpenTelemetry.dll"))
    AssemblyLoadContext.Default.LoadFromAssemblyPath(Path.GetFullPath("OpenTelemetry.dll"));

if (kind == "generic")
{
    await Host.CreateDefaultBuilder(args)
        .ConfigureWebHostDefaults(web => web.Configure(app => app.UseRouting().UseEndpoints(Map)))
        .Build()
        .RunAsync();
    return;
}

var builder = kind switch
{
    "slim" => WebApplication.CreateSlimBuilder(args),
    "empty" => WebApplication.CreateEmptyBuilder(new() { Args = args }),
    _ => WebApplication.CreateBuilder(args),
};
if (kind == "empty")
{
    builder.WebHost.UseKestrelCore();
    builder.Services.AddRoutingCore();
}

if (kind == "mvc")
    builder.Services.AddControllers();
if (kind == "blazor")
    builder.Services.AddRazorComponents().AddInteractiveServerComponents();
if (kind == "keys")
    builder.Services.AddDataProtection();
if (kind == "own-address")
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(1));

var app = builder.Build();
if (kind is "mvc")
    app.MapControllers();
app.UseWebSockets();
if (kind == "blazor")
{
    app.UseAntiforgery();
    app.MapRazorComponents<Page>().AddInteractiveServerRenderMode();
}

Map(app);
app.Run();

static void Map(IEndpointRouteBuilder routes)
{
    routes.MapGet("/", () => "hello");
    routes.MapGet("/pid", () => Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
    routes.MapGet("/version", () => File.Exists("version.txt") ? File.ReadAllText("version.txt").Trim() : "0");
    routes.MapGet("/telemetry", () =>
    {
        try
        {
            return System.Reflection.Assembly.Load("OpenTelemetry").GetName().Version!.ToString();
        }
        catch (FileNotFoundException)
        {
            return "none";
        }
    });
    routes.MapGet("/slow", async (int ms, CancellationToken cancelled) =>
    {
        await Task.Delay(ms, cancelled);
        return "slow";
    });
    routes.MapGet("/block", (int ms) =>
    {
        Thread.Sleep(ms);
        return "blocked";
    });
    routes.MapGet("/hang", () =>
    {
        while (true)
        {
            Thread.SpinWait(1000);
        }
    });
    routes.MapPost("/wait", async (HttpContext context) =>
    {
        _ = await context.Request.Body.ReadAsync(new byte[1]);   // until its client says more
        return "waited";
    });
    routes.MapGet("/eat", (int mb) =>
    {
        var bytes = GC.AllocateUninitializedArray<byte>(mb << 20, pinned: true);
        bytes.AsSpan().Fill(1);
        Eaten.Kept.Add(bytes);
        return "eaten";
    });
    routes.MapGet("/crash", () => Environment.FailFast("asked to"));
    routes.MapGet("/say", (string text, ILogger<Program> logger) => logger.LogWarning("said {Text}", text));
    routes.MapGet("/say-many", (int count) =>
    {
        for (var i = 1; i <= count; i++)
            Console.WriteLine($"line {i}");
    });
    routes.MapPost("/half", async (HttpContext context) =>
    {
        await context.Response.WriteAsync("half ");
        await context.Response.Body.FlushAsync();
        _ = await context.Request.Body.ReadAsync(new byte[1]);   // its client has the first half
        Environment.FailFast("in the middle");
    });
    routes.MapGet("/socket", async (HttpContext context) =>
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[256];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: System.Net.WebSockets.WebSocketMessageType.Text } received)
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
    });
    routes.MapGet("/thread", () => Thread.CurrentThread.IsThreadPoolThread ? "pool" : Thread.CurrentThread.Name);
    routes.MapGet("/stay", () => new Thread(() => Thread.Sleep(Timeout.Infinite)) { IsBackground = false }.Start());   // the process does not end by itself
    routes.MapGet("/nonsense", () =>
    {
        using var master = new System.Net.Sockets.Socket(new System.Net.Sockets.SafeSocketHandle(3, ownsHandle: false));
        master.Send("beat once\n"u8);
    });
    routes.MapGet("/protect", (string text, HttpContext context) => Protector(context).Protect(text));
    routes.MapGet("/unprotect", (string text, HttpContext context) => Protector(context).Unprotect(text));
    routes.MapGet("/start-env", () => Run("/usr/bin/env"));
    routes.MapGet("/start-descriptors", () => Run("/bin/ls", "-l", "/proc/self/fd"));
    routes.MapGet("/throw", () => { throw new InvalidOperationException("thrown"); });
    routes.MapGet("/events", async (HttpContext context) =>
    {
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.WriteAsync("data: tick\n\n", context.RequestAborted);
            await Task.Delay(20, context.RequestAborted);
        }
    });
}

static IDataProtector Protector(HttpContext context) => context.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

static string Run(string program, params string[] arguments)
{
    using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
    return process.StandardOutput.ReadToEnd();
}

static class Eaten
{
    public static List<byte[]> Kept { get; } = [];
}

[Microsoft.AspNetCore.Components.Route("/blazor")]
public sealed class Page : Microsoft.AspNetCore.Components.ComponentBase
{
    protected override void BuildRenderTree(Microsoft.AspNetCore.Components.Rendering.RenderTreeBuilder builder)
    {
        builder.AddMarkupContent(0, "<p>a page of components</p>");
        builder.OpenComponent<Counter>(1);
        builder.AddComponentRenderMode(Microsoft.AspNetCore.Components.Web.RenderMode.InteractiveServer);
        builder.CloseComponent();
    }
}

/// <summary>Its clicks are counted here, in a circuit.</summary>
public sealed class Counter : Microsoft.AspNetCore.Components.ComponentBase
{
    int _count;

    protected override void BuildRenderTree(Microsoft.AspNetCore.Components.Rendering.RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "button");
        builder.AddAttribute(1, "onclick", Microsoft.AspNetCore.Components.EventCallback.Factory.Create(this, Count));
        builder.AddContent(2, $"{_count} clicks in {Environment.ProcessId}");
        builder.CloseElement();
    }

    void Count() => _count++;
}

public sealed class WhoController : ControllerBase
{
    [HttpGet("/who")] public string Who() => "controller";
}
