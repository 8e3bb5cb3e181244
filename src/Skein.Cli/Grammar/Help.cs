using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Skein.Cli;

/// <summary>The help that the grammar gives, followed by what a grammar cannot say.</summary>
sealed partial class Help(HelpAction grammar) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        parseResult.InvocationConfiguration.Output = text;
        var code = grammar.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        var (usage, more) = parseResult.CommandResult.Command.Name switch
        {
            "map" => (MapUsage, Map),
            "run" => (RunUsage, Run),
            "serve" => (ServeUsage, Serve),
            "ps" or "top" => ($"  skein {parseResult.CommandResult.Command.Name} [options]", ""),
            "inspect" or "logs" or "reload" => ($"  skein {parseResult.CommandResult.Command.Name} [options] [ID]", ""),
            "scale" => ("  skein scale ID N", ""),
            "kill" => ("  skein kill [--now] ID", ""),
            "move" => ("  skein move [--within TIME] ID NODE", ""),
            "checkpoint" => ("  skein checkpoint [--within TIME] ID FILE", ""),
            "restore" => ("  skein restore [--node NODE] FILE", ""),
            "attach" => ("  skein attach ID", ""),
            "upgrade" => ("  skein upgrade [options] APP.dll|FILE.cs", ""),
            "node" => (NodeUsage, ""),
            "completion" => ("  skein completion bash|zsh|fish", ""),
            _ => ("  skein run|map|serve|node|ps|top|inspect|logs|reload|scale|kill|move|checkpoint|restore|attach|upgrade|completion …", Root),
        };
        output.Write(Usage().Replace(text.ToString(), $"Usage:\n{usage}\n", 1) + more);
        return code;
    }

    // The grammar knows neither what the command is called where it is installed, nor what stands after -- and :::.
    [GeneratedRegex(@"Usage:\r?\n.*\r?\n")]
    private static partial Regex Usage();

    const string RunUsage = """
          skein run [options] FILE.cs|APP.dll [-- ARGS…]
          skein run [options] -- PROGRAM [ARGS…]
          skein run -n NODE [-d] FILE.cs|APP.dll [--function NAME] [-- ARGS…]
        """;

    const string NodeUsage = """
          skein node start --name NAME [-d] [--code own|any|none|SHA-256] [--store FILE] [--listen ADDRESS|--join TOKEN]
          skein node drain [NAME]
          skein node token [--address ADDRESS] [--life TIME] [--for NODE] [NAME]
        """;

    const string ServeUsage = """
          skein serve [options] APP.dll|PROJECT|FILE.cs [-- ARGS…]
          skein serve [--check] [--id NAME] --config FILE|--inetd FILE
        """;

    const string Serve = """

        Signals: SIGHUP reloads, SIGTTIN and SIGTTOU change the number of workers, SIGTERM drains and ends. docs/serve.md tells all.

        """;

    const string MapUsage = """
          skein map [options] -- PROGRAM [ARGS…] [::: INPUTS…]
          skein map [options] FILE.cs|APP.dll --function NAME [::: INPUTS…]
        """;

    const string Root = """
        Examples:
          skein run samples/wordcount.cs -- /usr/share/common-licenses
          skein map --memory 256M --timeout 10s --retry 1 -- convert {} {.}.png ::: *.pdf
          skein map pages.cs --function Render ::: *.md

        Exit codes:
          64 usage   66 no such file   69 unavailable   70 error in skein   75 try later   78 configuration
          124 time-out   126 cannot be executed   127 not found   128+n signal n   130 Ctrl-C   137 out of memory

        """;

    const string Run = """
        Everything after -- belongs to the program. Examples:
          skein run --memory 64M --timeout 1m -- convert a.pdf b.png
          skein run hello.cs -- its arguments
        It ends as the program ends: same exit code, 128+n after signal n, 124 after a time-out, 137 out of memory.

        """;

    const string Map = """
        Inputs stand after :::, or are read one a line from standard input. No shell is involved: an input is one argument.

        In ARGS: {} the input, {/} its base name, {//} its folder, {.} without extension, {/.} base name without
        extension, {#} the job's number. Without any of them the input is appended.

        With --function an input becomes the function's arguments: the whole input for one parameter; for several the
        input's fields, separated by tabs, or by white space where it has no tab. A last array takes all remaining
        fields. Numbers, dates and so on are read invariantly (1.5, 2026-01-31). A text result is printed as it is, anything
        else as one line of JSON.

        Exit code: that of the first job that failed; with --keep-going the number of failed jobs, at most 101.

        """;
}
