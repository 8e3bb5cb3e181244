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
    const string KeyFile = "authority.key", CertificateFile = "authority.pem", NamesFile = "names";

    static readonly TimeSpan OwnLife = TimeSpan.FromDays(3650), NodeLife = TimeSpan.FromDays(90), ClockDifference = TimeSpan.FromMinutes(5);

    readonly ConcurrentDictionary<string, (DateTimeOffset Until, string? Name)> _tokens = new();   // by their secrets' hashes: until when they are good, and for which name
    readonly IssuedNames _names = new();
    readonly Lock _admitting = new();   // of two who have the same token, one gets a name
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
    /// <exception cref="IOException">It is not there.</exception>
    /// <exception cref="InvalidDataException">Its list of names is damaged.</exception>
    public static ClusterAuthority Open(string folder, TimeProvider? time = null)
    {
        var authority = new ClusterAuthority(X509Certificate2.CreateFromPemFile(Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile)), time);
        authority._names.GoOnIn(Path.Combine(folder, NamesFile));
        return authority;
    }

    /// <summary>Writes it to a folder that only its user can enter, and from then on there the names that it signs.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using (var file = new StreamWriter(Path.Combine(folder, KeyFile), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(_certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, CertificateFile), _certificate.ExportCertificatePem());
        _names.KeepIn(Path.Combine(folder, NamesFile));
    }

    /// <summary>An identity for a node that is started here.</summary>
    /// <param name="name">Of the node.</param>
    /// <param name="life">How long it is in force; by default 90 days.</param>
    /// <exception cref="ArgumentException">It cannot be the name of a node.</exception>
    public ClusterIdentity Issue(string name, TimeSpan? life = null)
    {
        NodeFolder.CheckName(name);
        _names.Note(name, TimeProvider.System.GetUtcNow() + (life ?? NodeLife));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(ClusterIdentity.WithKey(Sign(name, new PublicKey(key), life).CopyWithPrivateKey(key)), Public());
    }

    /// <summary>A secret text by which one node can join.</summary>
    /// <param name="address">Of the node that has this authority, as the other can reach it.</param>
    /// <param name="life">How long it is good; by default an hour.</param>
    /// <param name="name">The only name that it is good for, also where a node has that already, whose place is to be taken: after its key was lost, or before its certificate
    /// ends. Null: any name that no node has.</param>
    public string NewToken(IPEndPoint address, TimeSpan? life = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (name is not null)
            NodeFolder.CheckName(name);
        var secret = RandomNumberGenerator.GetBytes(JoinToken.SecretLength);
        _tokens[HashOf(secret)] = (_time.GetUtcNow() + (life ?? TimeSpan.FromHours(1)), name);
        return JoinToken.Format(address, _certificate, secret);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _certificate.Dispose();

    internal byte[] Certificate => _certificate.RawData;

    /// <summary>Null, and why, where the secret is that of no token, or of one that was used or is too old; or where the name is another node's. Then the token stays good.</summary>
    /// <param name="secret">Of the token.</param>
    /// <param name="name">That the certificate is to be on.</param>
    /// <param name="key">That it is to be for.</param>
    /// <param name="isMember">Whether there is a node of this name, whoever has signed for it.</param>
    /// <param name="why">Why not; for whoever asks.</param>
    internal X509Certificate2? Admit(byte[] secret, string name, PublicKey key, Predicate<string> isMember, out string why)
    {
        lock (_admitting)
            return AdmitOne(secret, name, key, isMember, out why);
    }

    X509Certificate2? AdmitOne(byte[] secret, string name, PublicKey key, Predicate<string> isMember, out string why)
    {
        why = "The token is not good any more: it was used, or is too old. Ask for another.";
        var hash = HashOf(secret);
        if (!_tokens.TryGetValue(hash, out var token) || token.Until <= _time.GetUtcNow())
            return null;
        if ((NodeFolder.WhyNoName(name) ?? (token.Name is null ? TakeFree(name, isMember) : TakeOver(token.Name, name))) is { } refused)
        {
            why = refused;
            return null;
        }

        _tokens.TryRemove(hash, out _);
        return Sign(name, key, null);
    }

    /// <summary>Notes a name of which the token says that it may be another node's; else why not.</summary>
    string? TakeOver(string only, string name)
    {
        if (only != name)
            return $"The token is for a node named {only}, not for {name}.";
        _names.Note(name, TimeProvider.System.GetUtcNow() + NodeLife);
        return null;
    }

    /// <summary>Notes a name that no node has; else why not.</summary>
    string? TakeFree(string name, Predicate<string> isMember)
    {
        const string Advice = "Take another name, or ask for a token for this one (skein node token --for NAME) if that node is to be replaced.";
        if (isMember(name))
            return $"There is a node named {name}. {Advice}";
        var now = TimeProvider.System.GetUtcNow();
        return _names.TryNote(name, now, now + NodeLife) is { } until ? $"Another node's certificate on the name {name} is in force until {until:yyyy-MM-dd}. {Advice}" : null;
    }

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
        return request.Create(_certificate, now - ClockDifference, now + (life ?? NodeLife), RandomNumberGenerator.GetBytes(16));
    }

    static string HashOf(byte[] secret) => Convert.ToHexStringLower(SHA256.HashData(secret));   // a look-up by it tells nothing by the time it takes
}
