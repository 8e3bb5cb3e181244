namespace Skein.Cli;

/// <summary>Where the keys of a server's cookies are kept.</summary>
static class KeyFolder
{
    public static string Of(string server) => Path.Combine(DataFolder.Of("keys"), server);
}
