using System.Buffers;
using System.IO.Pipelines;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace Skein;

/// <summary>
/// The first words of a connection: each side shows that it knows the secret without saying it (a keyed hash of what the other one has
/// just made up, RFC 2104). It authenticates; it does not encrypt, which is TLS's part.
/// </summary>
/// <remarks>
/// <code>
/// server: "skein objects 1\n"  32 random bytes
/// client: 32 random bytes      HMAC-SHA256(secret, "client" + server's + client's)
/// server: 1 or 0               HMAC-SHA256(secret, "server" + client's + server's)
/// </code>
/// </remarks>
static class Handshake
{
    const int Nonce = 32, Proof = 32;

    static readonly byte[] Greeting = "skein objects 1\n"u8.ToArray();

    /// <summary>The server's side; false where the client does not know the secret. Then nothing more is to be said.</summary>
    public static async Task<bool> ServeAsync(IDuplexPipe transport, string? secret)
    {
        var mine = RandomNumberGenerator.GetBytes(Nonce);
        await transport.Output.WriteAsync((byte[])[.. Greeting, .. mine]).ConfigureAwait(true);
        if (await ReadAsync(transport.Input, Nonce + Proof).ConfigureAwait(true) is not { } reply)
            return false;
        var theirs = reply[..Nonce];
        var isKnown = CryptographicOperations.FixedTimeEquals(reply.AsSpan(Nonce), ProofOf(secret, "client"u8, mine, theirs));
        await transport.Output.WriteAsync((byte[])[isKnown ? (byte)1 : (byte)0, .. isKnown ? ProofOf(secret, "server"u8, theirs, mine) : new byte[Proof]]).ConfigureAwait(true);
        return isKnown;
    }

    /// <summary>The client's side.</summary>
    /// <exception cref="AuthenticationException">The two do not know the same secret.</exception>
    /// <exception cref="InvalidDataException">The other side is no server of objects.</exception>
    /// <exception cref="IOException">The other side has ended the connection.</exception>
    public static async Task ConnectAsync(IDuplexPipe transport, string? secret)
    {
        var hello = await ReadAsync(transport.Input, Greeting.Length + Nonce).ConfigureAwait(false)
            ?? throw new IOException("The connection was ended before a server of objects has said anything: it talks by TLS to those that it knows, or is something else.");
        if (!hello.AsSpan(0, Greeting.Length).SequenceEqual(Greeting))
            throw new InvalidDataException("Whoever listens there is no server of objects, or one of another version.");
        var theirs = hello[Greeting.Length..];
        var mine = RandomNumberGenerator.GetBytes(Nonce);
        await transport.Output.WriteAsync((byte[])[.. mine, .. ProofOf(secret, "client"u8, theirs, mine)]).ConfigureAwait(false);
        var verdict = await ReadAsync(transport.Input, 1 + Proof).ConfigureAwait(false) ?? throw new IOException("The server has ended the connection.");
        if (verdict[0] != 1)
            throw new AuthenticationException("The server refuses this client: it has another secret.");
        if (!CryptographicOperations.FixedTimeEquals(verdict.AsSpan(1), ProofOf(secret, "server"u8, mine, theirs)))
            throw new AuthenticationException("The server does not know the secret: it is not the one that was meant.");
    }

    static byte[] ProofOf(string? secret, ReadOnlySpan<byte> role, byte[] challenge, byte[] own)
    {
        byte[] said = [.. role, .. challenge, .. own];
        return HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret ?? ""), said);
    }

    static async ValueTask<byte[]?> ReadAsync(PipeReader input, int length)
    {
        var read = await input.ReadAtLeastAsync(length).ConfigureAwait(true);
        if (read.Buffer.Length < length)
            return null;
        var part = read.Buffer.Slice(0, length);
        var bytes = part.ToArray();
        input.AdvanceTo(part.End);
        return bytes;
    }
}
