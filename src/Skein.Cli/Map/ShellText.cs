namespace Skein.Cli;

/// <summary>Words as a line for people and for a shell to read back. No program is ever run from such a line here.</summary>
static class ShellText
{
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    /// <summary>Quotes as GNU parallel does, so that job logs of both look the same.</summary>
    public static string Quote(string word)
    {
        if (word.Length == 0)
            return "''";
        if (word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+' or '/'))
            return word;
        var quoted = $"'{word.Replace("'", "'\"'\"'", StringComparison.Ordinal)}'";
        if (quoted.StartsWith("''", StringComparison.Ordinal))
            quoted = quoted[2..];
        return quoted.EndsWith("''", StringComparison.Ordinal) ? quoted[..^2] : quoted;
    }
}
