using System.Globalization;

namespace Skein.Cli;

/// <summary>
/// The words of a program call with replacement strings for each input, as in GNU parallel: <c>{}</c> the input, <c>{/}</c> its base name,
/// <c>{//}</c> its folder, <c>{.}</c> without extension, <c>{/.}</c> base name without extension, <c>{#}</c> the job's number.
/// Where there is none, the input is appended. No shell reads the words: what is in an input stays one argument.
/// </summary>
sealed class CommandTemplate
{
    static readonly (string Name, Func<Job, string> Value)[] Replacements =
    [
        ("{}", job => job.Input),
        ("{/}", job => BaseName(job.Input)),
        ("{//}", job => Folder(job.Input)),
        ("{.}", job => WithoutExtension(job.Input)),
        ("{/.}", job => WithoutExtension(BaseName(job.Input))),
        ("{#}", job => job.Number.ToString(CultureInfo.InvariantCulture)),
    ];

    readonly Func<Job, string>[] _words;

    public CommandTemplate(IEnumerable<string> words)
    {
        var parts = words.Select(Parse).ToList();
        if (parts.TrueForAll(word => word.TrueForAll(part => part.Replacement is null)))
            parts.Add(Parse("{}"));
        _words = [.. parts.Select(Word)];
    }

    public string[] Fill(Job job) => Array.ConvertAll(_words, word => word(job));

    static Func<Job, string> Word(List<Part> parts) => parts switch
    {
        [{ Replacement: null } literal] => _ => literal.Text,
        [{ Replacement: { } value }] => value,
        _ => job => string.Concat(parts.Select(part => part.Replacement?.Invoke(job) ?? part.Text)),
    };

    static List<Part> Parse(string word)
    {
        var parts = new List<Part>();
        var literal = 0;
        for (var at = 0; at < word.Length; at++)
        {
            if (word[at] != '{' || Array.Find(Replacements, r => string.CompareOrdinal(word, at, r.Name, 0, r.Name.Length) == 0) is not { Name: { } name, Value: { } value })
                continue;
            if (at > literal)
                parts.Add(new(word[literal..at], null));
            parts.Add(new(name, value));
            literal = at + name.Length;
            at = literal - 1;
        }

        if (literal < word.Length || parts.Count == 0)
            parts.Add(new(word[literal..], null));
        return parts;
    }

    static string BaseName(string path) => path[(path.LastIndexOf('/') + 1)..];

    static string Folder(string path)
    {
        var end = path.TrimEnd('/').LastIndexOf('/');
        var folder = end < 0 ? "" : path[..end].TrimEnd('/');
        return folder.Length > 0 ? folder : path.StartsWith('/') ? "/" : ".";
    }

    static string WithoutExtension(string path)
    {
        var dot = path.LastIndexOf('.');
        return dot > path.LastIndexOf('/') ? path[..dot] : path;
    }

    readonly record struct Part(string Text, Func<Job, string>? Replacement);
}

/// <summary>One input and its place among all inputs, counted from 1.</summary>
readonly record struct Job(long Number, string Input);
