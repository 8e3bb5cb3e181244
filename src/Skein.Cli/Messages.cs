namespace Skein.Cli;

/// <summary>What the command itself has to say: on standard error, each line begun with <c>skein:</c>. To say something never fails.</summary>
static class Messages
{
    /// <summary>Colour is for people: on a terminal, and never where NO_COLOR is set.</summary>
    public static bool Coloured { get; } =
        StandardStream.Error.IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";

    public static void Error(string message) => Say(Coloured ? "\e[31mskein:\e[0m " : "skein: ", message);

    public static void Note(string message) => Say(Coloured ? "\e[2mskein:\e[0m " : "skein: ", message);

    /// <summary>What is wrong, without the name that code has for it.</summary>
    public static string Of(ArgumentException error) => error.Message.Replace($" (Parameter '{error.ParamName}')", "", StringComparison.Ordinal);

    static void Say(string sign, string message)
    {
        if (message.Length > 0)
            Screen.Above(StandardStream.Error, () => StandardStream.Error.TryWrite($"{sign}{message}\n"));
    }
}
