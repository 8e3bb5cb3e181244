using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Skein;

/// <summary>Whom a node believes: those whose certificate its own authority has signed, as long as that is in force. No other authority of the machine counts.</summary>
static class Trust
{
    public const SslProtocols Protocols = SslProtocols.Tls13;

    /// <summary>The name that a certificate is on; null where it is not to be believed.</summary>
    public static string? Check(X509Certificate? shown, X509Certificate2 authority)
    {
        if (shown is not X509Certificate2 certificate)
            return null;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;   // certificates are short-lived instead
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) ? ClusterIdentity.NameIn(certificate) : null;
    }

    public static SslServerAuthenticationOptions Server(ClusterIdentity own, bool takesNewcomers) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(own.Certificate, [own.Authority], offline: true),
        ClientCertificateRequired = true,
        EnabledSslProtocols = Protocols,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is null ? takesNewcomers : Check(certificate, own.Authority) is not null,
    };

    public static SslClientAuthenticationOptions Client(ClusterIdentity own) => new()
    {
        TargetHost = "skein",
        ClientCertificateContext = SslStreamCertificateContext.Create(own.Certificate, [own.Authority], offline: true),
        EnabledSslProtocols = Protocols,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Check(certificate, own.Authority) is not null,
    };
}
