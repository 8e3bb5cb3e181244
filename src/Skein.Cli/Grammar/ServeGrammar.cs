using System.CommandLine;
using System.CommandLine.Parsing;

namespace Skein.Cli;

/// <summary>The grammar of <c>skein serve</c>.</summary>
sealed class ServeGrammar
{
    readonly Argument<string[]> _file = new("FILE")
    {
        Description = "The application: a built dll, or a project, its folder or a C# file (built at the start, and at a reload when sources have changed).",
        Arity = ArgumentArity.ZeroOrMore,
        HelpName = "APP.dll|PROJECT|FILE.cs",
    };

    readonly Option<string?> _config = Options.Text("--config", "FILE", "Instead of an application: the services that this file (YAML) lists.", "a file");
    readonly Option<string?> _inetd = Options.Text("--inetd", "FILE", "Instead of an application: the services that this file (in inetd's grammar) lists.", "a file");
    readonly Option<bool> _check = Options.Flag("--check", "Say what is wrong with the configuration, and start nothing (exit code 0 or 78).");
    readonly ServeOptions _options;

    public Command Command { get; } = new("serve", "Serves an ASP.NET Core application as it is, by several processes; or the services of a file.");

    public ServeGrammar()
    {
        Command.Arguments.Add(_file);
        _options = new(Command);
        Command.Options.Add(_config);
        Command.Options.Add(_inetd);
        Command.Options.Add(_check);
    }

    /// <summary>Null where an application is to be served.</summary>
    public ServicesRequest? ReadServices(ParseResult own, CommandWords words)
    {
        var config = own.GetValue(_config);
        var inetd = own.GetValue(_inetd);
        if ((config ?? inetd) is not { } file)
            return null;
        if (config is not null && inetd is not null)
            throw CommandFailure.Usage("serve takes either --config or --inetd, not both.");
        if (own.GetValue(_file) is { Length: > 0 } || words.Program is not null)
            throw CommandFailure.Usage("serve takes either an application or a file of services (--config, --inetd), not both.");
        if (_options.FirstGiven(own, but: "--id") is { } option)
            throw CommandFailure.Usage($"{option} is for an application; what a service needs stands in its file.");
        if (!File.Exists(file))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{file}'.");
        return new(Path.GetFullPath(file), inetd is not null, own.GetValue(_check), _options.Read(own));
    }

    public ServeRequest Read(ParseResult own, CommandWords words)
    {
        var (file, arguments) = Target.Read(own.GetValue(_file) ?? [], words, "serve", takesProjects: true);
        CheckModel(_options.Model(own), IsGiven);
        if (IsGiven("--session-file") && !IsGiven("--sessions"))
            throw CommandFailure.Usage("--session-file says where sessions are kept beside the workers; add --sessions.");
        return new(file!, [.. _options.Read(own), .. own.GetValue(_check) ? ["check=yes"] : (string[])[]], arguments);

        bool IsGiven(string name) => own.GetResult(name) is OptionResult { Implicit: false };
    }

    static void CheckModel(string model, Func<string, bool> isGiven)
    {
        if (model != "prefork" && isGiven("--workers"))
            throw CommandFailure.Usage($"--model {model} serves by one process; --workers is for prefork.");
        if (model == "dispatcher" && !isGiven("--threads"))
            throw CommandFailure.Usage("--model dispatcher needs --threads N.");
        if (model is "iterative" or "threaded" or "eventloop" && isGiven("--threads"))
            throw CommandFailure.Usage($"--threads is for dispatcher and prefork; {model} says itself on what requests run.");
        if (isGiven("--queue") && !isGiven("--threads"))
            throw CommandFailure.Usage("--queue says how many requests may wait for --threads; add those.");
    }
}
