using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Skein.Tests.Servers;

/// <summary>An ordinary ASP.NET Core application on a port of its own, served under some model, and a client for it.</summary>
sealed class HttpServer : IAsyncDisposable
{
    readonly WebApplication _application;

    HttpServer(WebApplication application) => _application = application;

    public HttpClient Client { get; private set; } = null!;

    public Uri Address { get; private set; } = null!;

    /// <summary>How many requests wait for a thread.</summary>
    public int WaitingCount => _application.Services.GetServices<IStartupFilter>().OfType<ModelFilter>().Single().Threads?.WaitingCount ?? 0;

    /// <summary>What measures its requests; null without one.</summary>
    public RequestLimiter? Limiter => _application.Services.GetServices<IStartupFilter>().OfType<ModelFilter>().Single().Limiter;

    public static async Task<HttpServer> StartAsync(
        ServerModel model, Action<WebApplication> map, HttpServerOptions? options = null, TimeSpan? grace = null,
        Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHttpContextAccessor();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = grace ?? Limits.Seconds(5));
        builder.UseSkein(model, options);
        configure?.Invoke(builder);
        var server = new HttpServer(builder.Build());
        server._application.Urls.Add("http://127.0.0.1:0");
        map(server._application);
        await server._application.StartAsync().Within();
        server.Address = new(server._application.Urls.Single());
        server.Client = new() { BaseAddress = server.Address, Timeout = Limits.Seconds(10) };
        return server;
    }

    public Task StopAsync() => _application.StopAsync();

    /// <summary>A connection of its own, for what no well-behaved client sends.</summary>
    public async Task<Socket> ConnectAsync(string bytes)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port).Within();
        await socket.SendAsync(Encoding.ASCII.GetBytes(bytes)).Within();
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync().AsTask().Within(30);
    }
}

/// <summary>Holds handlers until it is opened, wherever they run: what they do to it in another process happens here.</summary>
sealed class Gate
{
    [Transient] readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    [Transient] int _inside, _entered;
    readonly Callback<bool, bool> _pass;
    readonly Callback<bool, Nothing> _leave;

    public Gate()
    {
        _pass = Callback.To(async (bool _) =>
        {
            Interlocked.Increment(ref _inside);
            Interlocked.Increment(ref _entered);
            await _opened.Task.ConfigureAwait(false);   // the thread that waits may be the one of its context
            return true;
        });
        _leave = Callback.To((bool _) => { Interlocked.Decrement(ref _inside); });
    }

    public int Inside => Volatile.Read(ref _inside);

    public int Entered => Volatile.Read(ref _entered);

    public void Open() => _opened.TrySetResult();

    public async Task PassAsync(CancellationToken cancellation = default)
    {
        try
        {
            await _pass.InvokeAsync(true).AsTask().WaitAsync(cancellation);
        }
        finally
        {
            await _leave.InvokeAsync(true);
        }
    }

    /// <summary>Holds the calling thread.</summary>
    public void Block()
    {
        var passing = _pass.InvokeAsync(true).AsTask();
        Assert.True(((IAsyncResult)passing).AsyncWaitHandle.WaitOne(Limits.Seconds(30)), "the gate was never opened");
        _leave.InvokeAsync(true).AsTask().GetAwaiter().GetResult();
    }
}
