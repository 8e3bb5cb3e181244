using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// The process that holds the sessions of an application beside its workers: any worker serves any request, and to recycle, reload or lose
/// a worker loses no session.
/// </summary>
/// <remarks>
/// Workers find it by the environment variable <see cref="Variable"/>. It listens on a Unix socket that only the same user can open. When it
/// is killed it is started again: durable sessions are there again, others have ended.
/// </remarks>
/// <example>
/// <code>
/// await using var store = await SessionStore.StartAsync(new() { Durable = true, File = "/var/lib/shop/sessions.db" });
/// </code>
/// </example>
[SupportedOSPlatform("linux")]
public sealed class SessionStore : IAsyncDisposable
{
    /// <summary>Names the store's socket to the workers that inherit it.</summary>
    public const string Variable = "SKEIN_SESSION_STORE";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("skein-sessions-");   // for its user alone
    readonly CancellationTokenSource _stopping = new();
    readonly SessionOptions _options;
    Process<Nothing>? _process;
    bool _isDisposed;
    Task _supervision = Task.CompletedTask;

    SessionStore(SessionOptions options) => _options = options;

    /// <summary>Starts the process; it listens when this returns.</summary>
    /// <exception cref="RemoteException">It cannot be started, for example because the file of durable sessions is in use.</exception>
    public static async Task<SessionStore> StartAsync(SessionOptions? options = null, CancellationToken cancellation = default)
    {
        var store = new SessionStore((options ?? new()).Checked());
        try
        {
            await store.StartProcessAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        store._supervision = store.SuperviseAsync();
        return store;
    }

    /// <summary>The path of its socket.</summary>
    public string Address => Path.Combine(_folder.FullName, "store");

    /// <summary>The id of the operating-system process that holds the sessions now.</summary>
    public int? OsProcessId => _process?.OsProcessId;

    /// <summary>Ends it; sessions that are not durable end as well.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _supervision.ConfigureAwait(false);
        if (_process is not null)
            await _process.DisposeAsync().ConfigureAwait(false);
        _folder.Delete(recursive: true);
        _stopping.Dispose();
    }

    async Task StartProcessAsync(CancellationToken cancellation)
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = await Place.OsProcess
            .StartAsync(SessionStoreServer.RunAsync, new StoreStart(Address, _options), Callback.To((bool isOpen) => opened.TrySetResult()), null, cancellation)
            .ConfigureAwait(false);
        if (await Task.WhenAny(opened.Task, process.Completion).ConfigureAwait(false) != opened.Task)
        {
            await using (process.ConfigureAwait(false))
                await process.Completion.ConfigureAwait(false);   // throws why
        }

        _process = process;
    }

    async Task SuperviseAsync()
    {
        var pause = TimeSpan.FromMilliseconds(10);
        while (true)
        {
            try
            {
                await _process!.Exited.WaitAsync(_stopping.Token).ConfigureAwait(false);
                await _process.DisposeAsync().ConfigureAwait(false);
                await Task.Delay(pause, TimeProvider.System, _stopping.Token).ConfigureAwait(false);
                await StartProcessAsync(_stopping.Token).ConfigureAwait(false);
                pause = TimeSpan.FromMilliseconds(10);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is RemoteException or PlaceException or ProcessLostException or IOException)
            {
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, TimeSpan.TicksPerSecond));   // it is tried again
            }
        }
    }
}
