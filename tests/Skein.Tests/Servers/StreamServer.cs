using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Servers;

/// <summary>The ways to a server for streams.</summary>
public enum Way
{
    Tcp,
    Tcp6,
    UnixSocket,
    Tls,
    Inherited,
}

/// <summary>A server for streams on an address of its own, and clients that are plain sockets.</summary>
[SupportedOSPlatform("linux")]
sealed class StreamServer : IAsyncDisposable
{
    static readonly Lazy<X509Certificate2> OneCertificate = new(() =>
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    });

    readonly Way _way;

    StreamServer(SkeinServer server, Way way) => (Server, _way) = (server, way);

    public SkeinServer Server { get; }

    /// <summary>Of "localhost", by nobody that anybody trusts.</summary>
    public static X509Certificate2 Certificate => OneCertificate.Value;

    public static async Task<StreamServer> StartAsync(ServerModel model, ConnectionDelegate handler, StreamServerOptions? options = null, Way way = Way.Tcp)
    {
        options = (options ?? new()) with { Tls = way == Way.Tls ? new() { ServerCertificate = Certificate } : null };
        EndPoint endpoint = way switch
        {
            Way.UnixSocket => new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"server-{Guid.NewGuid():N}")),
            Way.Tcp6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
            Way.Inherited => new FileHandleEndPoint((ulong)Inherit(), FileHandleType.Tcp),
            _ => new IPEndPoint(IPAddress.Loopback, 0),
        };
        return new(await SkeinServer.StartAsync(endpoint, handler, model, options), way);
    }

    // As from a parent: a descriptor that no Socket of this process owns any more.
    static nint Inherit()
    {
        using var parent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        parent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        parent.Listen();
        return Descriptor.Duplicate((int)parent.Handle);
    }

    public async Task<StreamClient> ConnectAsync(string? send = null)
    {
        var endpoint = Server.EndPoint;
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endpoint).Within();
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionReset)
        {
            return new(socket, Stream.Null);   // accepted and broken before this call has returned: reads as the end
        }

        Stream stream = new NetworkStream(socket);
        if (_way == Way.Tls)
        {
            var secured = new SslStream(stream);
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, certificate, _, _) => Certificate.Equals(certificate) }).Within();
            stream = secured;
        }

        var client = new StreamClient(socket, stream);
        if (send is not null)
            await client.SendAsync(send);
        return client;
    }

    public ConnectionState? StateOf(int row) => Server.Connections.ElementAtOrDefault(row)?.State;

    public int CountOf(ConnectionState state) => Server.Connections.Count(connection => connection.State == state);

    public ValueTask DisposeAsync() => new(Server.DisposeAsync().AsTask().Within(30));
}

sealed class StreamClient(Socket socket, Stream stream) : IDisposable
{
    public Stream Stream => stream;

    public Socket Socket => socket;

    public async Task SendAsync(string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask().Within();

    /// <summary>What the server sends until it ends the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        return await reader.ReadToEndAsync().Within();
    }

    public async Task<byte[]> ReadAsync(int length)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes).AsTask().Within();
        return bytes;
    }

    /// <summary>The server breaks the connection, or ends it without an answer.</summary>
    public async Task IsRefusedAsync()
    {
        try
        {
            Assert.Equal(0, await stream.ReadAsync(new byte[1]).Within());
        }
        catch (IOException)
        {
            // Reset by peer.
        }
    }

    /// <summary>Says nothing more, and listens.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Leaves as a client does that crashes: with a reset.</summary>
    public void Break()
    {
        socket.LingerState = new(enable: true, seconds: 0);
        Dispose();
    }

    public void Dispose()
    {
        socket.Dispose();   // TLS says no good-bye: these clients may leave at any time
        stream.Dispose();
    }
}
