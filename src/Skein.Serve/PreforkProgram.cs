namespace Skein.Serve;

/// <summary>Serves an unmodified ASP.NET Core application by several processes.</summary>
static class PreforkProgram
{
    public static Task<int> RunAsync(Settings settings)
    {
        Console.Error.WriteLine($"skein: serving {settings["application"]} is not there yet.");
        return Task.FromResult(70);
    }
}
