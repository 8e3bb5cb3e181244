namespace Skein.Serve;

/// <summary>The words that the command has passed on.</summary>
/// <param name="Values">By name; one that was given several times has several.</param>
/// <param name="Arguments">What stood after <c>--</c>.</param>
sealed record Settings(ILookup<string, string> Values, string[] Arguments)
{
    public string? this[string name] => Values[name].LastOrDefault();

    public static Settings Read(ReadOnlySpan<string> words)
    {
        var end = words.IndexOf("--");
        var own = end < 0 ? words : words[..end];
        var values = new List<(string Name, string Value)>();
        foreach (var word in own)
        {
            var sign = word.IndexOf('=', StringComparison.Ordinal);
            values.Add((word[..sign], word[(sign + 1)..]));
        }

        return new(values.ToLookup(pair => pair.Name, pair => pair.Value), end < 0 ? [] : words[(end + 1)..].ToArray());
    }
}
