using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Skein;

/// <summary>What a session is called, and what its client holds as a proof that the name was given to it here.</summary>
static class SessionId
{
    public const int KeyLength = 32;

    /// <summary>128 bits that nobody can guess, in hexadecimal.</summary>
    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>A cookie: id, when the session began, and a signature over both.</summary>
    public static string Sign(string id, DateTimeOffset began, ReadOnlySpan<byte> key)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{id}.{began.ToUnixTimeSeconds():x}");
        return $"{text}.{Signature(text, key)}";
    }

    /// <summary>The id in a cookie; null when it was not made here, or is older than a session gets.</summary>
    public static string? Verify(string? cookie, DateTimeOffset now, TimeSpan lifetime, ReadOnlySpan<byte> key)
    {
        if (cookie is not { Length: < 200 } || cookie.Split('.') is not [{ Length: 32 } id, var began, var signature])
            return null;
        var expected = Signature($"{id}.{began}", key);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(signature)))
            return null;
        var age = now.ToUnixTimeSeconds() - long.Parse(began, NumberStyles.HexNumber, CultureInfo.InvariantCulture);   // it was written here
        return age <= lifetime.TotalSeconds ? id : null;
    }

    static string Signature(string text, ReadOnlySpan<byte> key) => Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
