using System.Security.Cryptography;

namespace Skein;

/// <summary>
/// Whose code a node takes. A process whose modules the node lacks brings them along, if this allows it. Code can do all that the node's
/// program can: there is no sandbox in a .NET process.
/// <code>
/// var node = new MobileNode("b") { Code = CodePolicy.SignedBy(ours) };
/// </code>
/// </summary>
public abstract class CodePolicy
{
    private protected CodePolicy()
    {
    }

    /// <summary>Any code of any node that this one is connected with: of whoever can make a node.</summary>
    public static CodePolicy AnyPeer { get; } = new Anything();

    /// <summary>
    /// Any code of this user's own programs and nodes on this machine: the kernel says whose they are, and they could do to this program whatever they like
    /// anyway. Of nodes on other machines none.
    /// </summary>
    public static CodePolicy OwnUser { get; } = new Own();

    /// <summary>Modules whose bytes have one of these SHA-256, in hexadecimal. What a node takes where nothing else is said: an empty list.</summary>
    public static CodePolicy Listed(params IEnumerable<string> hashes)
    {
        ArgumentNullException.ThrowIfNull(hashes);
        return new List([.. hashes.Select(static hash => Convert.ToHexString(Convert.FromHexString(hash)))]);
    }

    /// <summary>Modules that were signed (<see cref="Sign"/>) with the private key that belongs to this one.</summary>
    public static CodePolicy SignedBy(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new Signed(key);
    }

    /// <summary>Signs a module: writes <c>app.dll.sig</c> beside <c>app.dll</c>. Modules that it refers to need a signature of their own.</summary>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static void Sign(string path, ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(key);
        File.WriteAllBytes(path + ".sig", key.SignHash(SHA256.HashData(File.ReadAllBytes(path))));
    }

    /// <summary>Null when it is taken.</summary>
    /// <param name="hash">SHA-256 of the module, hexadecimal.</param>
    /// <param name="signature">Of the hash; null when it has none.</param>
    /// <param name="isOwn">Whether who sends it is a program of this user on this machine.</param>
    internal abstract string? WhyNot(string hash, byte[]? signature, bool isOwn);

    sealed class Anything : CodePolicy
    {
        internal override string? WhyNot(string hash, byte[]? signature, bool isOwn) => null;
    }

    sealed class Own : CodePolicy
    {
        internal override string? WhyNot(string hash, byte[]? signature, bool isOwn) =>
            isOwn ? null : "it comes from another machine, and only code of this user's programs on this one is taken (MobileNode.Code)";
    }

    sealed class List(HashSet<string> hashes) : CodePolicy
    {
        internal override string? WhyNot(string hash, byte[]? signature, bool isOwn) => hashes.Contains(hash) ? null : $"its SHA-256 {hash} is not on the list (MobileNode.Code)";
    }

    sealed class Signed(ECDsa key) : CodePolicy
    {
        internal override string? WhyNot(string hash, byte[]? signature, bool isOwn) =>
            signature is null ? "it is not signed (CodePolicy.Sign)"
            : key.VerifyHash(Convert.FromHexString(hash), signature) ? null : "its signature is not by the key whose code is taken (MobileNode.Code)";
    }
}
