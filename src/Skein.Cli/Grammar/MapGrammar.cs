using System.CommandLine;

namespace Skein.Cli;

/// <summary>The grammar of <c>skein map</c>.</summary>
sealed class MapGrammar
{
    /// <summary>Each has memory of its own from the start; no machine has descriptors and processes for more programs at once.</summary>
    const int MostJobs = 100_000;

    readonly LimitOptions _limits;
    readonly Argument<string[]> _file = new("FILE")
    {
        Description = "With --function: the C# file or built application that has the function.",
        Arity = ArgumentArity.ZeroOrMore,
        HelpName = "FILE.cs|APP.dll",
    };

    readonly Option<string?> _function = Options.Text("--function", "NAME", "Call this C# function for each input, in warm workers: a local function at FILE's top level, or Type.Method.", "a function's name: Name or Type.Method");
    readonly Option<int?> _jobs = Options.Count("--jobs", "How many run at once (default: one per processor).", least: 1, most: MostJobs);
    readonly Option<int?> _retry = Options.Count("--retry", "Try a failed job again, up to N times.", least: 0);
    readonly Option<bool> _keepGoing = Options.Flag("--keep-going", "Run all inputs, whatever fails; exit code: the number of failed jobs, at most 101.");
    readonly Option<HaltRule?> _halt = Options.Valued("--halt", "soon,fail=1|now,fail=1|never", "soon,fail=N: after N failures start no new jobs (default N=1); now,fail=N: also stop the running ones; never: as --keep-going.", HaltRule.Expected, HaltRule.TryParse);
    readonly Option<string?> _jobLog = Options.Text("--joblog", "FILE", "A line for each job that ended, when its output is written, in GNU parallel's columns.", "the log's file name");
    readonly Option<bool> _resume = Options.Flag("--resume", "Skip the jobs that --joblog's FILE says succeeded, and append to it.");
    readonly Option<bool> _dryRun = Options.Flag("--dry-run", "Only print the commands.");
    readonly Option<bool> _tag = Options.Flag("--tag", "Begin each line of output with its input and a tab.");
    readonly Option<bool> _eta = Options.Flag("--eta", "Estimate the end: reads all inputs first; without a terminal a line each second.");
    readonly Option<bool> _unordered = Options.Flag("--unordered", "Write each output as soon as its job ends (default: in the order of the inputs).");

    public Command Command { get; } = new("map", "Runs a program, or calls a C# function, for each input, several at once.");

    public MapGrammar()
    {
        Command.Arguments.Add(_file);
        Command.Options.Add(_function);
        Command.Options.Add(_jobs);
        _limits = new(Command, "Instead of outputs one JSON object a line for each job, and a summary, on standard output.");
        Command.Options.Add(_retry);
        Command.Options.Add(_keepGoing);
        Command.Options.Add(_halt);
        Command.Options.Add(_jobLog);
        Command.Options.Add(_resume);
        Command.Options.Add(_dryRun);
        Command.Options.Add(_tag);
        Command.Options.Add(_eta);
        Command.Options.Add(_unordered);
    }

    public MapRequest Read(ParseResult own, CommandWords words)
    {
        var (file, program) = Target.Read(own.GetValue(_file) ?? [], words, "map");
        var request = new MapRequest
        {
            File = file,
            Function = own.GetValue(_function),
            Program = program,
            Inputs = words.Inputs,
            Limits = _limits.Read(own, isProgram: file is null),
            Json = own.GetValue(_limits.Json),
            Jobs = own.GetValue(_jobs) ?? Environment.ProcessorCount,
            Retries = own.GetValue(_retry) ?? 0,
            KeepGoing = own.GetValue(_keepGoing) || own.GetValue(_halt) == HaltRule.Never,
            Halt = own.GetValue(_halt) ?? (own.GetValue(_keepGoing) ? HaltRule.Never : HaltRule.Default),
            JobLog = own.GetValue(_jobLog),
            Resume = own.GetValue(_resume),
            DryRun = own.GetValue(_dryRun),
            Tag = own.GetValue(_tag),
            Eta = own.GetValue(_eta),
            Unordered = own.GetValue(_unordered),
        };
        Check(request, own);
        return request;
    }

    void Check(MapRequest request, ParseResult own)
    {
        if (request.File is null && request.Function is not null)
            throw CommandFailure.Usage("--function takes a function of a C# file: skein map FILE.cs --function NAME ::: inputs…");
        if (request.File is not null && request.Function is null)
            throw CommandFailure.Usage("map FILE needs --function NAME: the C# function to call for each input. To run the whole application each time: skein map -- skein run FILE.cs -- {}");
        if (request.File is not null && request.Program.Length > 0)
            throw CommandFailure.Usage("map takes either FILE with --function, or -- PROGRAM, not both.");
        if (request.Resume && request.JobLog is null)
            throw CommandFailure.Usage("--resume needs --joblog FILE: the log that says which jobs succeeded.");
        if (own.GetValue(_keepGoing) && own.GetValue(_halt) is { } halt && halt != HaltRule.Never)
            throw CommandFailure.Usage("--keep-going and --halt contradict each other: give one of them.");
        if (request.Tag && request.Json)
            throw CommandFailure.Usage("--tag marks lines of output; with --json each object has its input already.");
        if (request.Inputs?.Contains(":::") == true)
            throw CommandFailure.Usage("::: stands once: all that follows it are inputs.");
    }
}
