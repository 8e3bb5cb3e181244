namespace Skein.Serve;

/// <summary>
/// What the command <c>skein serve</c> becomes once it has understood its words. The first word says what is served, the others are
/// <c>NAME=VALUE</c>, up to <c>--</c> and the arguments of the application.
/// </summary>
static class Program
{
    public static async Task<int> Main(string[] words) => words[0] switch
    {
        "prefork" => await PreforkProgram.RunAsync(Settings.Read(words.AsSpan(1))).ConfigureAwait(false),
        "services" => await ServicesProgram.RunAsync(Settings.Read(words.AsSpan(1))).ConfigureAwait(false),
        _ => throw new ArgumentException($"skein-serve is a part of the command 'skein serve' and does not know '{words[0]}'.", nameof(words)),
    };
}
