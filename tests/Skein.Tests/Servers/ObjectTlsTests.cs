using System.Net;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Authentication;

namespace Skein.Tests.Servers;

/// <summary>Objects over TLS, where certificates on both sides take the place of a secret.</summary>
[SupportedOSPlatform("linux")]
public class ObjectTlsTests
{
    static readonly SslClientAuthenticationOptions Known = new()
    {
        TargetHost = "localhost",
        ClientCertificates = [StreamServer.Certificate],
        RemoteCertificateValidationCallback = IsOurs,
    };

    static readonly SslClientAuthenticationOptions WithoutCertificate = new() { TargetHost = "localhost", RemoteCertificateValidationCallback = IsOurs };

    static readonly SslClientAuthenticationOptions TrustsOthers = new() { TargetHost = "localhost", ClientCertificates = [StreamServer.Certificate] };

    [Fact]
    public async Task Over_TLS_only_who_is_trusted_is_talked_to_on_both_sides()
    {
        await using var server = await ObjectServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), Bank.Catalog(), new()
        {
            Tls = new() { ServerCertificate = StreamServer.Certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = IsOurs },
        });

        Assert.Equal(10, await DepositAsync(server, Known));
        await Assert.ThrowsAsync<ServerLostException>(() => DepositAsync(server, WithoutCertificate));
        await Assert.ThrowsAsync<ServerLostException>(() => DepositAsync(server, tls: null));
        await Assert.ThrowsAsync<AuthenticationException>(() => DepositAsync(server, TrustsOthers));
        Assert.Equal(20, await DepositAsync(server, Known));
    }

    static async Task<int> DepositAsync(ObjectServer server, SslClientAuthenticationOptions? tls)
    {
        var patience = Limits.Seconds(tls is null ? 0.25 : 10);   // without TLS each side waits for the other's first word
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint, new() { Tls = tls, ConnectTimeout = patience }).Within(20);
        return await client.Get<IAccount>("alice").DepositAsync(10).Within();
    }

    static bool IsOurs(object sender, System.Security.Cryptography.X509Certificates.X509Certificate? certificate, object? chain, SslPolicyErrors errors) =>
        StreamServer.Certificate.Equals(certificate);
}
