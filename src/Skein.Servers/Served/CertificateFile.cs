using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skein;

/// <summary>
/// A certificate in a file, looked at again when the file changes: connections that are made from then on get the new one. A file that
/// cannot be read keeps the old one.
/// </summary>
sealed class CertificateFile
{
    static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);

    readonly string _file;
    readonly string? _key;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    SslStreamCertificateContext _current;
    (DateTime, DateTime) _written;
    long _looked;

    /// <param name="file">PEM (with the chain after the certificate) or PKCS#12.</param>
    /// <param name="key">The private key in PEM; null where it is in <paramref name="file"/>.</param>
    /// <exception cref="ServeException">It cannot be read.</exception>
    public CertificateFile(string file, string? key, TimeProvider time)
    {
        (_file, _key, _time) = (file, key, time);
        _looked = time.GetTimestamp();
        _written = Written();
        _current = Read();
    }

    /// <summary>Is told when a changed file cannot be read.</summary>
    public Action<ServeException>? OnFailure { get; set; }

    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_looked) < LookTime)
                    return _current;
                _looked = _time.GetTimestamp();
                var written = Written();
                if (written == _written)
                    return _current;
                try
                {
                    _current = Read();
                    _written = written;
                }
                catch (ServeException error)
                {
                    OnFailure?.Invoke(error);   // maybe it is being written; the next connection looks again
                }

                return _current;
            }
        }
    }

    (DateTime, DateTime) Written() => (File.GetLastWriteTimeUtc(_file), _key is null ? default : File.GetLastWriteTimeUtc(_key));

    SslStreamCertificateContext Read()
    {
        try
        {
            if (_key is null && !File.ReadAllText(_file).Contains("-----BEGIN", StringComparison.Ordinal))
            {
                var all = X509CertificateLoader.LoadPkcs12CollectionFromFile(_file, null);
                return SslStreamCertificateContext.Create(all.First(certificate => certificate.HasPrivateKey), all, offline: true);
            }

            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_file);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(_file, _key ?? _file), chain, offline: true);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException)
        {
            throw new ServeException($"The certificate {_file}{(_key is null ? "" : $" with the key {_key}")} cannot be used: {error.Message}", error);
        }
    }
}
