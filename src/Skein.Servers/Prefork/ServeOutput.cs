using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Prints what the log of a server gets. Where nobody reads it (a full pipe, a stopped terminal) lines are left out: workers and master go on.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ServeOutput : IAsyncDisposable
{
    /// <summary>What was printed last is to be seen; but the server ends also where nobody looks.</summary>
    static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    readonly ServeLog.Reader _lines;
    readonly Task _printing;

    public ServeOutput(PreforkMaster master)
    {
        _lines = master.Log.Read(fromStart: true);
        _printing = Task.Factory.StartNew(() => PrintAsync(master.Options.Id), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Complete();
        await Task.WhenAny(_printing, Task.Delay(LastWords, TimeProvider.System)).ConfigureAwait(false);
        _lines.Dispose();
    }

    async Task PrintAsync(string server)
    {
        await foreach (var line in _lines.ReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                (line.IsError ? Console.Error : Console.Out).WriteLine(line.Origin == server ? $"skein: {line.Text}" : $"{line.Origin} | {line.Text}");
            }
            catch (IOException)
            {
                // Whoever read it has left.
            }
        }
    }
}
