using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skein;

/// <summary>What a node must know to join: an address, by what to know who answers there, and a secret. <c>skein1.</c> and 64 bytes and the address in base64url.</summary>
static class JoinToken
{
    public const int SecretLength = 32;

    const string Prefix = "skein1.";

    public static string Format(IPEndPoint address, X509Certificate2 authority, byte[] secret) =>
        Prefix + Base64Url.EncodeToString([.. SHA256.HashData(authority.RawData), .. secret, .. Encoding.UTF8.GetBytes(address.ToString())]);

    /// <exception cref="FormatException">It is none.</exception>
    public static (IPEndPoint Address, byte[] Authority, byte[] Secret) Parse(string token)
    {
        if (token.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(token.AsSpan(Prefix.Length)))
        {
            var bytes = Base64Url.DecodeFromChars(token.AsSpan(Prefix.Length));
            if (bytes.Length > SHA256.HashSizeInBytes + SecretLength && IPEndPoint.TryParse(Encoding.UTF8.GetString(bytes[(SHA256.HashSizeInBytes + SecretLength)..]), out var address))
                return (address, bytes[..SHA256.HashSizeInBytes], bytes[SHA256.HashSizeInBytes..(SHA256.HashSizeInBytes + SecretLength)]);
        }
        throw new FormatException("This is no token of a cluster, or not all of it.");
    }
}
