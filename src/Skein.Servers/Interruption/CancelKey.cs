using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Skein;

/// <summary>
/// Names a connection to those who may interrupt it: its number, and a secret of 128 random bits. As text <c>12:9f86d081884c7d65…</c>.
/// A protocol gives it to its client, as PostgreSQL's does, who shows it on another connection.
/// </summary>
public readonly record struct CancelKey
{
    const int SecretLength = 16;

    internal CancelKey(long number, UInt128 secret) => (Number, Secret) = (number, secret);

    internal long Number { get; }

    UInt128 Secret { get; }

    internal static CancelKey Create(long number)
    {
        Span<byte> bytes = stackalloc byte[SecretLength];
        RandomNumberGenerator.Fill(bytes);
        return new(number, BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Reads what <see cref="ToString"/> has written. False: it is no key.</summary>
    public static bool TryParse(string? text, out CancelKey key)
    {
        key = default;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 0 || text!.Length - colon - 1 != 2 * SecretLength
            || !long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !UInt128.TryParse(text.AsSpan(colon + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var secret))
        {
            return false;
        }

        key = new(number, secret);
        return true;
    }

    /// <summary>Takes as long for a key that is nearly right as for any other.</summary>
    internal bool Fits(CancelKey other)
    {
        Span<byte> bytes = stackalloc byte[2 * SecretLength];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Secret);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[SecretLength..], other.Secret);
        return CryptographicOperations.FixedTimeEquals(bytes[..SecretLength], bytes[SecretLength..]) & Number == other.Number;
    }

    /// <summary>The key as text, for a protocol of lines.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}:{Secret:x32}");
}
