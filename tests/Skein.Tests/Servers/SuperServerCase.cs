using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Skein.Tests.Servers;

/// <summary>A super-server with services on free ports, and clients that are plain sockets.</summary>
[SupportedOSPlatform("linux")]
sealed class SuperServerCase : IAsyncDisposable
{
    SuperServerCase(SuperServer server, Said said) => (Server, Log) = (server, said);

    public SuperServer Server { get; }

    /// <summary>What it has said so far.</summary>
    public Said Log { get; }

    public static ServiceEndpoint Free => ServiceEndpoint.Tcp(IPAddress.Loopback, 0);

    public static Task<SuperServerCase> StartAsync(params IReadOnlyList<Service> services) => StartAsync(new(), services);

    public static async Task<SuperServerCase> StartAsync(SuperServerOptions options, params IReadOnlyList<Service> services)
    {
        var said = new Said();
        return new(await SuperServer.StartAsync(services, options with { LoggerFactory = said }).Within(), said);
    }

    /// <summary>A service whose program is a shell script.</summary>
    public static Service Script(string name, string script, ServiceEndpoint? endpoint = null) =>
        Service.Program(name, endpoint ?? Free, "/bin/sh", "-c", script);

    public async Task<ServiceStatus> StatusAsync(string? name = null) =>
        (await Server.StatusAsync().Within()).First(status => name is null || status.Name == name);

    public async Task UntilAsync(Func<ServiceStatus, bool> condition, string what, string? name = null)
    {
        ServiceStatus? last = null;
        var started = TimeProvider.System.GetTimestamp();
        while (!condition(last = await StatusAsync(name)))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(10), $"waited in vain for: {what}; {last}; {Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(2));
        }
    }

    public async Task<Client> ConnectAsync(string? name = null) => await Client.ConnectAsync((await StatusAsync(name)).EndPoint);

    /// <summary>What a client gets who says something and has then said all.</summary>
    public async Task<string> AskAsync(string said, string? name = null)
    {
        using var client = await ConnectAsync(name);
        return await client.AskAsync(said);
    }

    public ValueTask DisposeAsync() => new(Server.StopAsync(TimeSpan.Zero).Within());
}

/// <summary>How a connection ends.</summary>
enum Ending
{
    None,
    Closed,
    Broken,
}

/// <summary>A temporary folder.</summary>
sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("super-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A client that is a plain socket.</summary>
sealed class Client(Socket socket, bool wasRefused = false) : IDisposable
{
    readonly NetworkStream? _connected = wasRefused ? null : new(socket, ownsSocket: true);

    NetworkStream Stream => _connected ?? throw new IOException("The connection was refused at once.");

    public IPEndPoint Local => (IPEndPoint)socket.LocalEndPoint!;

    public static Task<Client> ConnectAsync(EndPoint endpoint) => Task.FromResult(Connect(endpoint));

    /// <param name="from">The address to come from.</param>
    public static Client Connect(EndPoint endpoint, string? from = null)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        if (from is not null)
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        try
        {
            socket.Connect(endpoint);
            return new(socket);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            return new(socket, wasRefused: true);   // accepted and refused before the framework has looked
        }
    }

    public async Task<string> AskAsync(string said)
    {
        if (said.Length > 0)
            await SayAsync(said);   // who answers at once may be gone already
        try
        {
            EndSending();
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.NotConnected)
        {
            // so it is
        }

        return await ReadToEndAsync();
    }

    public Task SayAsync(string said) => Stream.WriteAsync(Encoding.UTF8.GetBytes(said)).AsTask().Within();

    /// <summary>Leaves, and says that nothing is wanted any more.</summary>
    public void Break()
    {
        socket.Close(0);   // a stream would say good-bye before
        Dispose();
    }

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public Task<string> ReadToEndAsync() => new StreamReader(Stream).ReadToEndAsync().Within();

    public async Task<string> LineAsync()
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await Stream.ReadAsync(one).AsTask().Within() == 1 && one[0] != '\n')
            line.Add(one[0]);
        return Encoding.UTF8.GetString([.. line]);
    }

    /// <summary>How the server ended it.</summary>
    public async Task<Ending> EndingAsync()
    {
        if (wasRefused)
            return Ending.Broken;
        try
        {
            return await Stream.ReadAsync(new byte[1]).AsTask().Within() == 0 ? Ending.Closed : Ending.None;
        }
        catch (IOException error) when (error.InnerException is SocketException)
        {
            return Ending.Broken;
        }
    }

    public void Dispose()
    {
        _connected?.Dispose();
        socket.Dispose();
    }
}

/// <summary>What was logged.</summary>
sealed class Said : ILoggerFactory, ILogger
{
    readonly ConcurrentQueue<string> _lines = new();

    public int Count(string text) => _lines.Count(line => line.Contains(text, StringComparison.Ordinal));

    public bool Contains(string text) => Count(text) > 0;

    public override string ToString() => string.Join('\n', _lines);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
