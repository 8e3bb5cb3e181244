using System.CommandLine;

namespace Skein.Cli;

/// <summary>The options by which <c>skein serve</c> serves an application, and how they are passed on: as <c>NAME=VALUE</c>.</summary>
sealed class ServeOptions
{
    readonly List<(Option Option, Func<ParseResult, IEnumerable<string>> Read)> _options = [];

    public ServeOptions(Command command)
    {
        Add(Options.OneOf("--model", "How it is served: by several processes (default), or in one with threads or an event loop.", "prefork"), text => text);
        Add(Options.Count("--workers", "How many processes (default: one for each processor).", least: 1), workers => $"{workers}");
        var listen = new Option<string[]>("--listen") { HelpName = "URL", Description = "Where to listen, as http://127.0.0.1:8080; may be given several times.", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
        _options.Add((listen, own => own.GetValue(listen) ?? []));
        foreach (var (option, _) in _options)
            command.Options.Add(option);
    }

    /// <summary>The name of one that was given.</summary>
    public string? FirstGiven(ParseResult own) => _options.Select(o => o.Option).FirstOrDefault(option => own.GetResult(option) is { Implicit: false })?.Name;

    public IReadOnlyList<string> Read(ParseResult own) =>
        [.. _options.SelectMany(option => option.Read(own).Select(value => $"{option.Option.Name[2..]}={value}"))];

    void Add<T>(Option<T?> option, Func<T, string> format) =>
        _options.Add((option, own => own.GetValue(option) is { } value ? [format(value)] : []));
}
