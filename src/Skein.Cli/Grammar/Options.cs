using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Skein.Cli;

/// <summary>Options by the kind of value they take. A wrong or missing value is answered with the option's name and what it takes.</summary>
static class Options
{
    public static Option<long?> Size(string name, string description) =>
        Valued<long?>(name, "SIZE", description, ByteSize.Expected, text => ByteSize.TryParse(text, out var bytes) ? bytes : null);

    public static Option<TimeSpan?> Time(string name, string description, bool orZero = false) =>
        Valued<TimeSpan?>(name, "TIME", description, Duration.Expected,
            text => Duration.TryParse(text, out var time) && (orZero || time > TimeSpan.Zero) ? time : null);

    public static Option<int?> Count(string name, string description, int least, int most = int.MaxValue) =>
        Valued<int?>(name, "N", description, $"a whole number from {least}" + (most < int.MaxValue ? string.Create(CultureInfo.InvariantCulture, $" to {most:N0}") : ""),
            text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most ? n : null);

    public static Option<string?> Text(string name, string valueName, string description, string expected) =>
        Valued<string?>(name, valueName, description, expected, text => text.Length > 0 ? text : null);

    public static Option<string?> Collector(string name, string description) =>
        Valued<string?>(name, "URL|env", description, "an address such as http://127.0.0.1:4318, or env",
            text => text == "env" || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") ? text : null);

    public static Option<string?> OneOf(string name, string description, params string[] values) =>
        Valued<string?>(name, string.Join('|', values), description, string.Join(" or ", values), text => values.Contains(text) ? text : null);

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    /// <summary>An option whose value <paramref name="parse"/> understands; null is what it does not understand.</summary>
    public static Option<T?> Valued<T>(string name, string valueName, string description, string expected, Func<string, T?> parse) => new(name)
    {
        Description = description,
        HelpName = valueName,
        Arity = ArgumentArity.ZeroOrOne, // a missing value reaches the parser below, whose message says what was wanted
        CustomParser = result => Parse(result, name, expected, parse),
    };

    static T? Parse<T>(ArgumentResult result, string name, string expected, Func<string, T?> parse)
    {
        if (result.Tokens.Count == 0)
            result.AddError($"{name} needs a value: {expected}.");
        else if (parse(result.Tokens[^1].Value) is { } value)
            return value;
        else
            result.AddError($"{name} takes {expected}; '{result.Tokens[^1].Value}' is none.");
        return default;
    }
}
