using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace Skein.Bench.Mobility;

/// <summary>
/// What a connection can do: frames (their length, then bytes) that another operating-system process sends back, one by one. As between nodes one task
/// reads and one writes; there is nothing else in between.
/// </summary>
sealed class Echo : IAsyncDisposable
{
    /// <summary>The argument that makes this program the one that sends back.</summary>
    public const string Argument = "--echo";

    readonly Stream _stream;
    readonly Action<Echo, ReadOnlyMemory<byte>> _taken;
    readonly Channel<ReadOnlyMemory<byte>> _outgoing = Channel.CreateUnbounded<ReadOnlyMemory<byte>>(new() { SingleReader = true });
    readonly Task _running;

    /// <param name="stream">It is closed with this.</param>
    /// <param name="taken">Is given each frame, with its length, as it was sent.</param>
    Echo(Stream stream, Action<Echo, ReadOnlyMemory<byte>> taken)
    {
        (_stream, _taken) = (stream, taken);
        _running = Task.WhenAll(WriteAsync(), ReadAsync());
    }

    /// <summary>The other side: until the stream ends.</summary>
    /// <param name="words"><c>unix FILE</c>, or <c>tls</c>: then the port is printed.</param>
    public static async Task<int> RunAsync(string[] words)
    {
        using var listening = words is ["unix", _] ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new(SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(words is ["unix", var file] ? new UnixDomainSocketEndPoint(file) : new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen(1);
        await Console.Out.WriteLineAsync($"ready {(listening.LocalEndPoint as IPEndPoint)?.Port ?? 0}");
        Stream stream = new NetworkStream(await listening.AcceptAsync(), ownsSocket: true);
        if (words is ["tls"])
        {
            var secured = new SslStream(stream);
            await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = NewCertificate(), EnabledSslProtocols = SslProtocols.Tls13 });
            stream = secured;
        }

        await new Echo(stream, static (echo, frame) => echo.Send(frame.ToArray()))._running;
        return 0;
    }

    public static async Task<Echo> ConnectAsync(EndPoint address, bool isSecured, Action<Echo, ReadOnlyMemory<byte>> taken)
    {
        var socket = address is UnixDomainSocketEndPoint ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (isSecured)
        {
            var secured = new SslStream(stream);
            await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "echo", RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=echo" });
            stream = secured;
        }

        return new(stream, taken);
    }

    public static byte[] NewFrame(int length)
    {
        var frame = new byte[4 + length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        return frame;
    }

    public void Send(ReadOnlyMemory<byte> frame) => _outgoing.Writer.TryWrite(frame);

    public async ValueTask DisposeAsync()
    {
        _outgoing.Writer.TryComplete();
        await _stream.DisposeAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task WriteAsync()
    {
        await foreach (var frame in _outgoing.Reader.ReadAllAsync())
            await _stream.WriteAsync(frame);
    }

    async Task ReadAsync()
    {
        await Task.Yield();
        var (buffer, have) = (new byte[1 << 16], 0);
        try
        {
            while (await _stream.ReadAsync(buffer.AsMemory(have)) is > 0 and var read)
            {
                have += read;
                var at = 0;
                for (int length; have - at >= 4 && have - at >= (length = 4 + BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at))); at += length)
                    _taken(this, buffer.AsMemory(at, length));
                buffer.AsSpan(at, have - at).CopyTo(buffer);
                have -= at;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // it was closed
        }

        _outgoing.Writer.TryComplete();
    }

    static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=echo", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
