namespace Skein;

/// <summary>
/// The files by which a .NET process can be reached by debuggers and tracers: its runtime removes them when it ends, unless it is killed.
/// Workers are killed, so we do.
/// </summary>
static class RuntimeFiles
{
    /// <summary>Removes those of a process that has ended. Its number is still its own: nothing else can have files of that name yet.</summary>
    public static void Remove(int process, string folder)
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(folder, $"dotnet-diagnostic-{process}-*-socket")
                .Concat(Directory.EnumerateFiles(folder, $"clr-debug-pipe-{process}-*")))
            {
                File.Delete(file);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The folder may be gone, or somebody else was faster.
        }
    }
}
