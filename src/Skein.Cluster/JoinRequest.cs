using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skein;

/// <summary>A newcomer's only words, over TLS: <c>Call</c> with the secret, the length of its request, the request, its name; the answer is its certificate, or an empty one.</summary>
static class JoinRequest
{
    /// <summary>More is no request to join.</summary>
    const int LongestRequest = 4096;

    /// <exception cref="IOException">The token is not good.</exception>
    public static async Task<X509Certificate2> AskAsync(Stream stream, byte[] secret, string name, ECDsa key, CancellationToken cancellation)
    {
        var request = key.ExportSubjectPublicKeyInfo();
        var frames = new FrameStream(stream, LongestRequest);
        await frames.WriteAsync(FrameKind.Call, 0, (byte[])[.. secret, .. BitConverter.GetBytes((ushort)request.Length), .. request, .. Encoding.UTF8.GetBytes(name)], cancellation).ConfigureAwait(false);
        var answer = await frames.ReadAsync(cancellation).ConfigureAwait(false);
        return answer is { Kind: FrameKind.Result, Body.Length: > 0 }
            ? X509CertificateLoader.LoadCertificate(answer.Value.Body.Span)
            : throw new IOException("The token is not good any more: it was used, or is too old. Ask for another.");
    }

    public static async Task AnswerAsync(Stream stream, ClusterAuthority authority, CancellationToken cancellation)
    {
        var frames = new FrameStream(stream, LongestRequest);
        if (await frames.ReadAsync(cancellation).ConfigureAwait(false) is not { Kind: FrameKind.Call } request)
            return;
        using var certificate = Admit(authority, request.Body.Span);
        await frames.WriteAsync(FrameKind.Result, 0, certificate?.RawData ?? [], cancellation).ConfigureAwait(false);
    }

    static X509Certificate2? Admit(ClusterAuthority authority, ReadOnlySpan<byte> request)
    {
        var start = JoinToken.SecretLength + sizeof(ushort);
        if (request.Length < start || BitConverter.ToUInt16(request[JoinToken.SecretLength..]) is var length && request.Length <= start + length)
            return null;
        try
        {
            var key = PublicKey.CreateFromSubjectPublicKeyInfo(request.Slice(start, length), out _);
            return authority.Admit(request[..JoinToken.SecretLength].ToArray(), Encoding.UTF8.GetString(request[(start + length)..]), key);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
