namespace Skein.Cli;

/// <summary>Builds one at a time: two of them may share a project, and MSBuild does not expect company there.</summary>
static class BuildLock
{
    /// <summary>The lock; disposed, or at the latest by the end of this process, it is free again.</summary>
    /// <param name="note">Is told when it takes a while.</param>
    public static async Task<FileStream> TakeAsync(Action<string> note, CancellationToken cancellation)
    {
        var path = Path.Combine(CacheFolder.Of("apps"), ".lock");
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException held) when (held.HResult == ErrorNumber.TryAgain)
            {
                if (tries == 20)
                    note("waiting for another build …");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw CacheFolder.Refusal(error);
            }
        }
    }
}
