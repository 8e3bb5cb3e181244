using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>An application that chooses its certificates may fail at it.</summary>
[SupportedOSPlatform("linux")]
public class TlsFaultTests
{
    [Fact]
    public async Task A_certificate_that_cannot_be_chosen_costs_its_own_connection()
    {
        var log = new LineLog();
        ConnectionDelegate say = static async connection => await connection.Transport.Output.WriteAsync("here"u8.ToArray());
        await using var server = await SkeinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), say, ServerModel.EventLoop, new()
        {
            LoggerFactory = log,
            MaxConnections = 2,
            Tls = new() { ServerCertificateSelectionCallback = static (_, name) => name == "localhost" ? StreamServer.Certificate : throw new KeyNotFoundException($"no certificate of {name}") },
        });

        for (var i = 0; i < 4; i++)
            await Assert.ThrowsAnyAsync<Exception>(() => AskAsync(server, "nobody"));

        Assert.Equal("here", await AskAsync(server, "localhost"));
        await Limits.Until(() => server.Connections.Count == 0, "all to be disconnected");
        Assert.Contains(log.Lines, static line => line.Contains("no certificate of nobody", StringComparison.Ordinal));
    }

    static async Task<string> AskAsync(SkeinServer server, string name)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync((IPEndPoint)server.EndPoint);
        await using var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, RemoteCertificateValidationCallback = static (_, certificate, _, _) => StreamServer.Certificate.Equals(certificate) }).Within();
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().Within();
    }
}
