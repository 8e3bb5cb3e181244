using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>Connections that outlive their requests, when their worker is to end.</summary>
public class ServeDrainTests
{
    [Fact]
    public async Task A_WebSocket_is_served_until_the_deadline_and_then_broken()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "5s");
        using var socket = await ConnectAsync(app, "/socket");
        var old = app.Workers().Single();
        Assert.Equal("one", await EchoAsync(socket, "one"));

        await app.ReloadAsync();

        Assert.Equal("two", await EchoAsync(socket, "two"));
        await Assert.ThrowsAnyAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[64], CancellationToken.None).Within(20));
        await Limits.Until(() => !app.Workers().Contains(old), "the old worker's end", 20);
        using var next = await ConnectAsync(app, "/socket");
        Assert.Equal("three", await EchoAsync(next, "three"));
    }

    [Fact]
    public async Task Http2_connections_are_told_to_go_away_and_their_requests_are_answered()
    {
        using var folder = new ScratchFolder();
        ServeOperationTests.WriteCertificate(folder);
        await using var app = await ServedApp.StartAsync("--workers", "1", "--listen", "https://127.0.0.1:0", "--certificate", folder["cert.pem"], "--certificate-key", folder["key.pem"]);
        const string Name = "0123456789abcdef0123456789abcdef";
        await using var busy = await Http2.ConnectAsync(app.Url);
        await using var idle = await Http2.ConnectAsync(app.Url);
        await busy.RequestAsync(app.Url, "/slow?ms=600000", Name);
        await app.HasActiveAsync(1);

        await app.ReloadAsync();

        await idle.UntilAsync(Http2.GoAway);
        await busy.UntilAsync(Http2.GoAway);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate is not null };
        using var client = new HttpClient(handler) { BaseAddress = app.Url };
        using var cancelled = await client.PostAsync($"/_skein/cancel/{Name}", null).Within();
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        await busy.UntilAsync(Http2.Headers);   // the answer of the request that ran
    }

    [Fact]
    public async Task A_component_application_negotiates_with_one_worker_and_is_served_by_another()
    {
        Assert.SkipUnless(Limits.Long, "the circuit's own test is the quick one: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "3s", "--", "blazor");
        Assert.Contains("a page of components", await app.GetAsync("/blazor"), StringComparison.Ordinal);
        using var negotiated = await app.Client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null).Within();
        var token = (await negotiated.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("connectionToken").GetString();

        await app.ReloadAsync();
        using var socket = await ConnectAsync(app, $"/_blazor?id={token}");

        Assert.Equal("{}\u001e", await EchoAsync(socket, "{\"protocol\":\"blazorpack\",\"version\":1}\u001e"));
    }

    [Fact]
    public async Task A_circuit_goes_on_while_its_worker_drains_and_a_page_from_before_becomes_a_circuit_of_the_next_version()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "1h", "--", "blazor");
        var old = app.Workers().Single();
        var page = await app.GetAsync("/blazor");
        Assert.Contains($"0 clicks in {old}", page, StringComparison.Ordinal);
        await using var circuit = await CircuitClient.ConnectAsync(app.Url);
        var secret = await circuit.BeginAsync(app.Url, page);
        await circuit.ShowsAsync($"0 clicks in {old}");
        await circuit.ClickAsync();
        await circuit.ShowsAsync($"1 clicks in {old}");

        using var idle = new TcpClient(app.Url.Host, app.Url.Port);
        await idle.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: here\r\n\r\n"u8.ToArray()).AsTask().Within();
        var buffer = new byte[4096];
        Assert.NotEqual(0, await idle.GetStream().ReadAsync(buffer).AsTask().Within());

        await app.PointAtAsync(app.AddRelease("next"));
        await app.ReloadAsync();

        while (await idle.GetStream().ReadAsync(buffer).AsTask().Within(20) > 0)
        {
            // What is idle is closed; by now nothing but the circuit holds up the end.
        }

        for (var clicks = 2; clicks <= 4; clicks++)
        {
            await circuit.ClickAsync();
            await circuit.ShowsAsync($"{clicks} clicks in {old}");
        }

        var fresh = app.Workers().Single(worker => worker != old);
        await using var next = await CircuitClient.ConnectAsync(app.Url);
        Assert.False(await next.FindAgainAsync(secret));   // its client is told, and begins anew
        await next.BeginAsync(app.Url, page);
        await next.ShowsAsync($"0 clicks in {fresh}");
        await next.ClickAsync();
        await next.ShowsAsync($"1 clicks in {fresh}");
    }

    [Fact]
    public async Task A_circuit_ends_at_the_deadline_of_its_worker()
    {
        Assert.SkipUnless(Limits.Long, "a WebSocket's own test is the quick one: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "3s", "--", "blazor");
        var old = app.Workers().Single();
        await using var circuit = await CircuitClient.ConnectAsync(app.Url);
        await circuit.BeginAsync(app.Url, await app.GetAsync("/blazor"));
        await circuit.ShowsAsync($"0 clicks in {old}");

        await app.ReloadAsync();

        await circuit.EndsAsync();
        await Limits.Until(() => !app.Workers().Contains(old), "the old worker's end", 20);
    }

    static async Task<ClientWebSocket> ConnectAsync(ServedApp app, string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new($"ws://{app.Url.Authority}{path}"), CancellationToken.None).Within();
        return socket;
    }

    static async Task<string> EchoAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None).Within();
        var buffer = new byte[256];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None).Within();
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    /// <summary>As much of HTTP/2 as it takes to see its frames.</summary>
    sealed class Http2(SslStream stream) : IAsyncDisposable
    {
        public const byte Headers = 1, Settings = 4, GoAway = 7;

        public static async Task<Http2> ConnectAsync(Uri url)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(url.Host, url.Port).Within();
            var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2] }).Within();
            Assert.Equal(SslApplicationProtocol.Http2, stream.NegotiatedApplicationProtocol);
            var connection = new Http2(stream);
            await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray()).AsTask().Within();
            await connection.SendAsync(Settings, 0, 0, []);
            await connection.UntilAsync(Settings);
            await connection.SendAsync(Settings, 1, 0, []);
            return connection;
        }

        /// <summary>Sends a request on the first stream, with its name.</summary>
        public Task RequestAsync(Uri url, string path, string name) => SendAsync(
            Headers, 0x4 | 0x1, 1, [0x82, 0x87, 0x04, .. Text(path), 0x01, .. Text(url.Authority), 0x00, .. Text("skein-request-id"), .. Text(name)]);

        /// <summary>Reads frames until one of this type.</summary>
        public async Task UntilAsync(byte type)
        {
            var head = new byte[9];
            do
            {
                await stream.ReadExactlyAsync(head).AsTask().Within(20);
                await stream.ReadExactlyAsync(new byte[(head[0] << 16) | (head[1] << 8) | head[2]]).AsTask().Within(20);
            }
            while (head[3] != type);
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();

        static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

        Task SendAsync(byte type, byte flags, byte streamId, byte[] payload) =>
            stream.WriteAsync((byte[])[0, 0, (byte)payload.Length, type, flags, 0, 0, 0, streamId, .. payload]).AsTask().Within();
    }
}
