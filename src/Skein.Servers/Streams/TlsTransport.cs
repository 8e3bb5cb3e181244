using System.IO.Pipelines;
using System.Net.Security;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>TLS between a connection's handler and its socket. It runs where the handler runs, and before that on the loop.</summary>
[SupportedOSPlatform("linux")]
sealed class TlsTransport : IDisposable
{
    readonly SslStream _stream;

    TlsTransport(SslStream stream) => _stream = stream;

    /// <summary>Agrees with the client on keys; what went wrong otherwise.</summary>
    public static async Task<(TlsTransport? Transport, string? Fault)> SecureAsync(StreamConnection connection, StreamServerOptions options)
    {
        var stream = new SslStream(new DuplexStream(connection.Transport.Input, connection.Transport.Output));
        using var limit = new CancellationTokenSource(options.TlsTimeout);
        try
        {
            await stream.AuthenticateAsServerAsync(options.Tls!, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error)   // of whatever kind: the application chooses the certificate, and may fail
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            return (null, limit.IsCancellationRequested ? $"it took longer than {options.TlsTimeout}" : error.Message);
        }

        connection.Features.Set(stream);   // for a handler that looks at the client's certificate
        connection.Secure(
            PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)),
            PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
        return (new(stream), null);
    }

    /// <summary>Sends what the handler has left, and says that this was all: without it an end could be anybody's.</summary>
    public async Task EndAsync(StreamConnection connection)
    {
        try
        {
            await connection.Transport.Output.CompleteAsync().ConfigureAwait(false);
            await _stream.ShutdownAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or InvalidOperationException or NotSupportedException)
        {
            // The client has left first.
        }
    }

    public void Dispose() => _stream.Dispose();
}
