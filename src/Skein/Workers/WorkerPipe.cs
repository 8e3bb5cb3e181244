using System.IO.Pipes;
using System.Security.Cryptography;

namespace Skein;

/// <summary>
/// The named pipe by which a worker that is being started connects to its parent. It takes one connection, of the same user, and of one
/// who knows a secret that only the worker was told; others get nothing.
/// </summary>
sealed class WorkerPipe : IDisposable
{
    const PipeOptions Options = PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly;

    // A runtime that starts takes 50 ms; on a machine that is out of memory, more than anybody would guess.
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    // Who connects has the secret at hand.
    static readonly TimeSpan SecretLimit = TimeSpan.FromSeconds(5);

    readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    readonly NamedPipeServerStream _server;

    public WorkerPipe()
    {
        var name = $"skein-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";

        // On Unix a name is that of a socket's file. In full: the worker's folder for such files may be another than ours.
        Name = OperatingSystem.IsWindows() ? name : Path.Combine(Path.GetTempPath(), name);
        _server = new(Name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, Options);
    }

    public string Name { get; }

    /// <summary>What the worker must send first, as it is passed to it.</summary>
    public string Secret => Convert.ToHexString(_secret);

    /// <summary>The worker's connection, once it has said the secret. Nothing else of what came is looked at before.</summary>
    /// <exception cref="TimeoutException">Nobody came who knew it.</exception>
    public async Task<Stream> AcceptAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartLimit);
        try
        {
            while (true)
            {
                if (await ConnectsAsync(limit.Token).ConfigureAwait(false) && await KnowsSecretAsync(limit.Token).ConfigureAwait(false))
                {
                    RemoveFile();
                    return _server;
                }

                if (_server.IsConnected)
                    _server.Disconnect();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"The worker did not connect within {StartLimit.TotalSeconds} seconds.");
        }
    }

    /// <summary>The worker's side: connects, and says the secret.</summary>
    public static Stream Connect(string name, string secret)
    {
        var pipe = new NamedPipeClientStream(".", name, PipeDirection.InOut, Options);
        pipe.Connect(StartLimit);
        pipe.Write(Convert.FromHexString(secret));
        pipe.Flush();
        return pipe;
    }

    public void Dispose()
    {
        _server.Dispose();
        RemoveFile();
    }

    async Task<bool> ConnectsAsync(CancellationToken cancellation)
    {
        try
        {
            await _server.WaitForConnectionAsync(cancellation).ConfigureAwait(false);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;   // another user's
        }
    }

    async Task<bool> KnowsSecretAsync(CancellationToken cancellation)
    {
        var said = new byte[_secret.Length];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(SecretLimit);
        try
        {
            await _server.ReadExactlyAsync(said, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }

        return CryptographicOperations.FixedTimeEquals(said, _secret);
    }

    // Whoever is killed leaves no file that it has removed already.
    void RemoveFile()
    {
        if (!OperatingSystem.IsWindows())
            File.Delete(Name);
    }
}
