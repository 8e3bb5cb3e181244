namespace Skein.Cli;

/// <summary>Where what can be made again is kept: <c>$SKEIN_HOME/cache</c>, else <c>$XDG_CACHE_HOME/skein</c>, else <c>~/.cache/skein</c>.</summary>
static class CacheFolder
{
    /// <summary>The folder of this name in it, made if need be.</summary>
    public static string Of(string name)
    {
        try
        {
            return Directory.CreateDirectory(Path.Combine(Root().Path, name)).FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Refusal(error);
        }
    }

    /// <summary>What is said where something cannot be kept there.</summary>
    public static CommandFailure Refusal(Exception error)
    {
        var (root, variable) = Root();
        return new(ErrorNumber.IsShortage(error) ? ExitCode.Temporary : ExitCode.Configuration,
            $"the folder {root} ({variable}) cannot be used: {error.Message} Set SKEIN_HOME to a folder that can be written.");
    }

    static (string Path, string Variable) Root()
    {
        if (Environment.GetEnvironmentVariable("SKEIN_HOME") is { Length: > 0 } home)
            return (Path.Combine(home, "cache"), "from SKEIN_HOME");
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
            return (Path.Combine(cache, "skein"), "from XDG_CACHE_HOME");
        return (Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "skein"), "in the home folder");
    }
}
