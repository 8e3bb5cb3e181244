using System.Text;

namespace Skein.Cli;

/// <summary>
/// The words of a command line by owner. What stands before <c>--</c> and <c>:::</c> is Skein's, after <c>--</c> comes the program with
/// its arguments, after <c>:::</c> come inputs. Split before the grammar sees them, so nothing of a program is ever taken for an option.
/// </summary>
/// <param name="Own">The command's name, options and FILE.</param>
/// <param name="Program">Null where there was no <c>--</c>.</param>
/// <param name="Inputs">Null where there was no <c>:::</c>: inputs are read from standard input.</param>
sealed record CommandWords(string[] Own, string[]? Program, string[]? Inputs)
{
    /// <summary>Refuses words that were changed on the way: .NET puts U+FFFD for what is not UTF-8, which may be the name of another file.</summary>
    public static void RequireText(string[] words)
    {
        if (Array.Find(words, word => word.Contains('\uFFFD', StringComparison.Ordinal)) is not { } changed)
            return;
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(File.ReadAllBytes("/proc/self/cmdline"));
        }
        catch (DecoderFallbackException)
        {
            throw CommandFailure.Usage($"'{changed}' was not UTF-8 text as it was given; a word that is changed on the way would name another file.");
        }
    }

    public static CommandWords Split(string[] words)
    {
        // Only map knows inputs; to a program that run starts, ::: is an argument like any other.
        var known = words.FirstOrDefault(word => !word.StartsWith('-')) == "map";
        var inputs = known ? Array.IndexOf(words, ":::") : -1;
        var end = inputs < 0 ? words.Length : inputs;
        var program = Array.IndexOf(words, "--", 0, end);
        return new(
            words[..(program < 0 ? end : program)],
            program < 0 ? null : words[(program + 1)..end],
            inputs < 0 ? null : words[(inputs + 1)..]);
    }
}
