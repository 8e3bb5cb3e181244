using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skein;

/// <summary>
/// By what the nodes of a cluster know each other between machines: a certificate on the name of the node, with its private key, and the
/// certificate of the authority that has signed those of all. Whoever has it can be this node.
/// </summary>
public sealed class ClusterIdentity : IDisposable
{
    const string CertificateFile = "node.pem", KeyFile = "node.key", AuthorityFile = "authority.pem";

    internal ClusterIdentity(X509Certificate2 certificate, X509Certificate2 authority)
    {
        Certificate = certificate;
        Authority = authority;
        Name = NameIn(certificate);
    }

    /// <summary>The name of the node.</summary>
    public string Name { get; }

    /// <summary>When its certificate ends; a new one is to be had before, by a token for its name.</summary>
    public DateTimeOffset Expires => new(Certificate.NotAfter.ToUniversalTime());

    internal X509Certificate2 Certificate { get; }

    internal X509Certificate2 Authority { get; }

    /// <summary>Reads what <see cref="Save"/> has written.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    /// <exception cref="CryptographicException">It is damaged.</exception>
    public static ClusterIdentity Open(string folder) => new(
        WithKey(X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile))),
        X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, AuthorityFile))));

    /// <summary>Writes it to a folder that only its user can enter.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using (var file = new StreamWriter(Path.Combine(folder, KeyFile), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(Certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, CertificateFile), Certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, AuthorityFile), Authority.ExportCertificatePem());
    }

    /// <summary>The address in a token: of the node that has given it, which a node that has joined by it can name among its <see cref="ClusterOptions.Peers"/>.</summary>
    /// <exception cref="FormatException">It is no token.</exception>
    public static System.Net.IPEndPoint AddressIn(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return JoinToken.Parse(token).Address;
    }

    /// <summary>Makes a private key, and has its certificate signed by the node that has given the token. A token is good for one node, and for a while.</summary>
    /// <param name="token">Of <see cref="ClusterAuthority.NewToken"/>: a secret.</param>
    /// <param name="name">Of the node that joins.</param>
    /// <exception cref="FormatException">It is no token.</exception>
    /// <exception cref="IOException">Nobody answers there, the token is not good any more, or the name is another node's.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">Who answers there is not who gave the token.</exception>
    public static async Task<ClusterIdentity> JoinAsync(string token, string name, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var (endpoint, authority, secret) = JoinToken.Parse(token);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellation).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new IOException($"Nobody answers at {endpoint}: {e.Message}", e);
        }
        using var stream = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, static (_, certificate, _, _) => certificate is not null);   // looked at below
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "skein", EnabledSslProtocols = Trust.Protocols }, cancellation).ConfigureAwait(false);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (certificate, root) = await JoinRequest.AskAsync(stream, authority, secret, name, key, cancellation).ConfigureAwait(false);
        return new(WithKey(certificate.CopyWithPrivateKey(key)), root);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose()
    {
        Certificate.Dispose();
        Authority.Dispose();
    }

    internal static string NameIn(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    // TLS takes a key only that it can find again.
    internal static X509Certificate2 WithKey(X509Certificate2 certificate)
    {
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
