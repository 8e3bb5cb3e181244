using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skein;

/// <summary>
/// Signs the certificates of a cluster's nodes. One node has it, and lets others join by tokens; whoever has its key can be any node.
/// <code>
/// using var authority = ClusterAuthority.Create();
/// await using var a = await ClusterNode.StartAsync("a", new() { Listen = address, Identity = authority.Issue("a"), Authority = authority });
/// var token = authority.NewToken(a.Listening!);             // said to whoever starts b:
/// using var identity = await ClusterIdentity.JoinAsync(token, "b");
/// await using var b = await ClusterNode.StartAsync("b", new() { Listen = …, Identity = identity, Peers = [address] });
/// </code>
/// </summary>
public sealed class ClusterAuthority : IDisposable
{
    const string KeyFile = "authority.key", CertificateFile = "authority.pem";

    static readonly TimeSpan OwnLife = TimeSpan.FromDays(3650), ClockDifference = TimeSpan.FromMinutes(5);

    readonly ConcurrentDictionary<string, DateTimeOffset> _tokens = new();   // by their secrets' hashes: until when they are good
    readonly X509Certificate2 _certificate;
    readonly TimeProvider _time;

    ClusterAuthority(X509Certificate2 certificate, TimeProvider? time)
    {
        _certificate = certificate;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>A new one, of a cluster that has no nodes yet.</summary>
    /// <param name="time">By which tokens grow old; by default the system's.</param>
    public static ClusterAuthority Create(TimeProvider? time = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=skein cluster {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = TimeProvider.System.GetUtcNow();   // as those see it who check it
        return new(request.CreateSelfSigned(now - ClockDifference, now + OwnLife), time);
    }

    /// <summary>Reads what <see cref="Save"/> has written.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="time">By which tokens grow old; by default the system's.</param>
    public static ClusterAuthority Open(string folder, TimeProvider? time = null) =>
        new(X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile)), time);

    /// <summary>Writes it to a folder that only its user can enter.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using (var file = new StreamWriter(Path.Combine(folder, KeyFile), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(_certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, CertificateFile), _certificate.ExportCertificatePem());
    }

    /// <summary>An identity for a node that is started here.</summary>
    /// <param name="name">Of the node.</param>
    /// <param name="life">How long it is in force; by default 90 days.</param>
    public ClusterIdentity Issue(string name, TimeSpan? life = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(ClusterIdentity.WithKey(Sign(name, new PublicKey(key), life).CopyWithPrivateKey(key)), Public());
    }

    /// <summary>A secret text by which one node can join.</summary>
    /// <param name="address">Of the node that has this authority, as the other can reach it.</param>
    /// <param name="life">How long it is good; by default an hour.</param>
    public string NewToken(IPEndPoint address, TimeSpan? life = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        var secret = RandomNumberGenerator.GetBytes(JoinToken.SecretLength);
        _tokens[HashOf(secret)] = _time.GetUtcNow() + (life ?? TimeSpan.FromHours(1));
        return JoinToken.Format(address, _certificate, secret);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _certificate.Dispose();

    internal byte[] Certificate => _certificate.RawData;

    /// <summary>Null where the secret is that of no token, or of one that was used or is too old.</summary>
    internal X509Certificate2? Admit(byte[] secret, string name, PublicKey key) =>
        _tokens.TryRemove(HashOf(secret), out var until) && until > _time.GetUtcNow() ? Sign(name, key, null) : null;

    X509Certificate2 Public() => X509CertificateLoader.LoadCertificate(_certificate.RawData);

    X509Certificate2 Sign(string name, PublicKey key, TimeSpan? life)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));   // server and client
        var now = TimeProvider.System.GetUtcNow();
        return request.Create(_certificate, now - ClockDifference, now + (life ?? TimeSpan.FromDays(90)), RandomNumberGenerator.GetBytes(16));
    }

    static string HashOf(byte[] secret) => Convert.ToHexStringLower(SHA256.HashData(secret));   // a look-up by it tells nothing by the time it takes
}
