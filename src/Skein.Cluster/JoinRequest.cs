using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skein;

/// <summary>What a node and a newcomer say to each other, over TLS; then the connection ends.</summary>
/// <remarks>
/// <code>
/// node:      Hello    certificate of the authority. The token has its hash: so the newcomer knows to whom it speaks, before it says the secret
/// newcomer:  Call     secret, length of its public key u16, public key, name
/// node:      Result   its certificate; or Fault: why it gets none
/// </code>
/// </remarks>
static class JoinRequest
{
    /// <summary>More is no request to join.</summary>
    const int LongestRequest = 4096;

    /// <exception cref="AuthenticationException">Who answers is not who gave the token.</exception>
    /// <exception cref="IOException">The token is not good.</exception>
    public static async Task<(X509Certificate2 Own, X509Certificate2 Authority)> AskAsync(
        SslStream stream, byte[] authority, byte[] secret, string name, ECDsa key, CancellationToken cancellation)
    {
        var frames = new FrameStream(stream, LongestRequest);
        var hello = await frames.ReadAsync(cancellation).ConfigureAwait(false);
        if (hello is not { Kind: FrameKind.Hello } shown || !SHA256.HashData(shown.Body.Span).AsSpan().SequenceEqual(authority))
            throw new AuthenticationException("Who answers there is not who gave the token.");
        var root = X509CertificateLoader.LoadCertificate(shown.Body.Span);
        if (Trust.Check(stream.RemoteCertificate, root) is null)
            throw new AuthenticationException("Who answers there is no node of the cluster of this token.");
        var request = key.ExportSubjectPublicKeyInfo();
        await frames.WriteAsync(FrameKind.Call, 0, (byte[])[.. secret, .. BitConverter.GetBytes((ushort)request.Length), .. request, .. Encoding.UTF8.GetBytes(name)], cancellation).ConfigureAwait(false);
        var answer = await frames.ReadAsync(cancellation).ConfigureAwait(false);
        return answer is { Kind: FrameKind.Result, Body.Length: > 0 }
            ? (X509CertificateLoader.LoadCertificate(answer.Value.Body.Span), root)
            : throw new IOException(answer is { Kind: FrameKind.Fault } refused ? Encoding.UTF8.GetString(refused.Body.Span) : "Who has given the token ended the connection, and did not say why.");
    }

    /// <param name="stream">To the newcomer.</param>
    /// <param name="authority">That signs.</param>
    /// <param name="isMember">Whether there is a node of a name.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task AnswerAsync(Stream stream, ClusterAuthority authority, Predicate<string> isMember, CancellationToken cancellation)
    {
        var frames = new FrameStream(stream, LongestRequest);
        await frames.WriteAsync(FrameKind.Hello, 0, authority.Certificate, cancellation).ConfigureAwait(false);
        if (await frames.ReadAsync(cancellation).ConfigureAwait(false) is not { Kind: FrameKind.Call } request)
            return;
        using var certificate = Admit(authority, request.Body.Span, isMember, out var why);
        await frames.WriteAsync(certificate is null ? FrameKind.Fault : FrameKind.Result, 0, certificate?.RawData ?? Encoding.UTF8.GetBytes(why), cancellation).ConfigureAwait(false);
    }

    static X509Certificate2? Admit(ClusterAuthority authority, ReadOnlySpan<byte> request, Predicate<string> isMember, out string why)
    {
        why = "This is no request to join.";
        var start = JoinToken.SecretLength + sizeof(ushort);
        if (request.Length < start || BitConverter.ToUInt16(request[JoinToken.SecretLength..]) is var length && request.Length <= start + length)
            return null;
        try
        {
            var key = PublicKey.CreateFromSubjectPublicKeyInfo(request.Slice(start, length), out _);
            return authority.Admit(request[..JoinToken.SecretLength].ToArray(), Encoding.UTF8.GetString(request[(start + length)..]), key, isMember, out why);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            why = $"This is no request to join: {e.Message}";
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            why = $"The name could not be noted there: {e.Message}";
            return null;
        }
    }
}
