using System.CommandLine;
using System.Globalization;

namespace Skein.Cli;

/// <summary>The options by which <c>skein serve</c> serves an application, and how they are passed on: as <c>NAME=VALUE</c>.</summary>
sealed class ServeOptions
{
    readonly List<(Option Option, Func<ParseResult, IEnumerable<string>> Read)> _options = [];

    readonly Option<string?> _model;

    public ServeOptions(Command command)
    {
        _model = Options.OneOf("--model", "How it is served: by several processes (default), or by one whose requests run in order, on a thread each, on --threads, or on Kestrel's tasks.", "prefork", "iterative", "threaded", "dispatcher", "eventloop");
        Add(_model, text => text);
        Add(Options.Count("--workers", "How many processes (default: one for each processor).", least: 1), Number);
        var listen = new Option<string[]>("--listen") { HelpName = "URL", Description = "Where to listen, as http://127.0.0.1:8080; may be given several times.", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
        _options.Add((listen, own => own.GetValue(listen) ?? []));
        Add(Options.Text("--id", "NAME", "The name by which the server is known to skein ps, reload, … (default: the application's, or the file's).", "a name"), text => text);
        Add(Options.Count("--spares", "How many more processes are kept ready to take over at once (default 0).", least: 0), Number);
        Add(Options.Count("--threads", "Requests run on so many threads of each worker's own, not on the thread pool.", least: 1), Number);
        Add(Options.Count("--queue", "With --threads: how many requests may wait for a thread; what finds it full gets 503 at once (default 0).", least: 0), Number);
        Add(Options.Count("--max-requests", "Replace a worker after about so many requests.", least: 1), Number);
        Add(Options.Size("--max-memory", "Replace a worker when it has about so much memory."), size => size!.Value.ToString(CultureInfo.InvariantCulture));
        Add(Options.Time("--start-timeout", "A worker that is not ready by then has failed (default 30s)."), Seconds);
        Add(Options.Time("--drain", "How long the requests of a worker that is to stop may take (default 30s).", orZero: true), Seconds);
        Add(Options.Time("--heartbeat", "Replace a worker that shows no sign of life for so long (default 30s)."), Seconds);
        var watch = Options.Flag("--watch", "Reload when the application's sources, or its dll, have changed: for development.");
        _options.Add((watch, own => own.GetValue(watch) ? ["yes"] : []));
        var sessions = Options.Flag("--sessions", "Keep the sessions of AddSkeinSessions in one process beside the workers, for all of them.");
        _options.Add((sessions, own => own.GetValue(sessions) ? ["yes"] : []));
        Add(Options.Text("--session-file", "FILE", "With --sessions: keep them in this file (SQLite), so that they outlive a crash of everything.", "a file"), Path.GetFullPath);
        Add(Options.Text("--certificate", "FILE", "The certificate for https addresses (PEM with its chain, or PKCS#12); a changed file is read again.", "a file"), Path.GetFullPath);
        Add(Options.Text("--certificate-key", "FILE", "Its private key (PEM), where it is in another file.", "a file"), Path.GetFullPath);
        Add(Options.Text("--access-log", "FILE", "Append a line for each request, in the combined format.", "a file"), Path.GetFullPath);
        Add(Options.Text("--admin", "URL", "Answer /health/live, /health/ready and /metrics (Prometheus) there.", "an address such as http://127.0.0.1:9090"), text => text);
        Add(Options.Collector("--otlp", "Send traces and metrics to this collector, by OTLP; env: where OTEL_EXPORTER_OTLP_ENDPOINT says."), text => text);
        foreach (var (option, _) in _options)
            command.Options.Add(option);
    }

    public string Model(ParseResult own) => own.GetValue(_model) ?? "prefork";

    /// <summary>The name of one that was given, other than this one.</summary>
    public string? FirstGiven(ParseResult own, string but) =>
        _options.Select(o => o.Option).FirstOrDefault(option => option.Name != but && own.GetResult(option) is { Implicit: false })?.Name;

    public IReadOnlyList<string> Read(ParseResult own) =>
        [.. _options.SelectMany(option => option.Read(own).Select(value => $"{option.Option.Name[2..]}={value}"))];

    static string Number(int? number) => number!.Value.ToString(CultureInfo.InvariantCulture);

    static string Seconds(TimeSpan? time) => time!.Value.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    void Add<T>(Option<T?> option, Func<T, string> format) =>
        _options.Add((option, own => own.GetValue(option) is { } value ? [format(value)] : []));
}
