using System.Text.RegularExpressions;

namespace Skein.Tests.Cli;

/// <summary>The job log has GNU parallel's columns, and a run can be resumed from it.</summary>
public sealed partial class JobLogTests : IDisposable
{
    readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_has_the_columns_of_GNU_parallel_with_the_same_values()
    {
        if (!File.Exists("/usr/bin/parallel") || !(await SkeinCommand.RunProgramAsync("parallel", "--version")).Output.StartsWith("GNU", StringComparison.Ordinal))
            Assert.Skip("needs GNU parallel for comparison (Debian: apt-get install parallel)");
        string[] inputs = ["plain", "a b", "c'd", "'q'", "e$f", "", "-x", "ü", "1+1=2", "x/y.z"];
        var job = _folder.Write("job", "test \"$1\" = plain && exit 3; printf 1234567");
        var ours = await SkeinCommand.RunAsync(["map", "--keep-going", "--jobs", "1", "--joblog", _folder["ours"], "--", "sh", job, ":::", .. inputs]);
        var theirs = await SkeinCommand.RunProgramAsync("parallel", ["-j1", "--joblog", _folder["theirs"], "sh", job, ":::", .. inputs]);
        Assert.Equal((1, 1), (ours.Code, theirs.Code));
        Assert.Equal(theirs.Output, ours.Output);

        // What differs between two runs is when each job began and how long it took: then only its form is compared.
        Assert.Equal(Comparable(_folder["theirs"]), Comparable(_folder["ours"]));
    }

    [Fact]
    public async Task How_a_job_ended_is_in_the_log()
    {
        await SkeinCommand.RunAsync("map", "--keep-going", "--jobs", "1", "--timeout", "500ms", "--joblog", _folder["log"], "--", "sh", "-c", "eval \"$0\"", ":::", "exit 3", "kill -9 $$", "exec sleep 9", "echo hallo", "echo a\n");
        var ends = File.ReadAllLines(_folder["log"]).Skip(1).Select(line => line.Split('\t')).Select(fields => $"{fields[0]} {fields[5]} {fields[6]} {fields[7]}");

        // The values are those of GNU parallel 20221122 for the same commands.
        Assert.Equal(["1 0 3 0", "2 0 0 9", "3 0 -1 15", "4 6 0 0", "5 2 0 0"], ends);
        Assert.Equal(6, File.ReadAllLines(_folder["log"]).Length);
    }

    [Fact]
    public async Task A_resumed_run_skips_what_succeeded_and_appends()
    {
        var job = _folder.Write("job", $"echo $0 $1; test $1 != b || test -e {_folder["mended"]}");
        string[] words = ["--keep-going", "--joblog", _folder["log"], "--", "sh", job];
        var first = await SkeinCommand.RunAsync(["map", .. words, ":::", "a", "b", "c", "c"]);
        Assert.Equal(1, first.Code);
        _folder.Write("mended", "");
        var second = await SkeinCommand.RunAsync(["map", "--resume", .. words, ":::", "new", "a", "b", "c", "c", "c"]);
        Assert.Equal((0, $"{job} new\n{job} b\n{job} c\n"), (second.Code, second.Output));
        var third = await SkeinCommand.RunAsync(["map", "--resume", .. words, ":::", "new", "a", "b", "c", "c", "c"]);
        Assert.Equal((0, ""), (third.Code, third.Output));
        Assert.Equal(1 + 4 + 3, File.ReadAllLines(_folder["log"]).Length);
    }

    [Fact]
    public async Task A_log_whose_last_line_was_cut_off_is_resumed_without_it()
    {
        const string Header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
        _folder.Write("log", Header + "1\t:\t1.000\t     0.001\t0\t0\t0\t0\techo 1\n2\t:\t1.000\t     0.001\t0\t0\t0\t0\techo 2");
        var ended = await SkeinCommand.RunAsync("map", "--resume", "--joblog", _folder["log"], "--", "echo", ":::", "1", "2", "23");
        Assert.Equal("2\n23\n", ended.Output);
        Assert.Equal(4, File.ReadAllLines(_folder["log"]).Length);
    }

    [Fact]
    public async Task A_file_that_is_no_log_is_not_resumed_from_nor_changed()
    {
        _folder.Write("log", "precious\n");
        var ended = await SkeinCommand.RunAsync("map", "--resume", "--joblog", _folder["log"], "--", "echo", ":::", "1");
        Assert.Equal(66, ended.Code);
        Assert.Contains("is not a job log", ended.Error);
        Assert.Equal("precious\n", File.ReadAllText(_folder["log"]));
    }

    static IEnumerable<string> Comparable(string log) => File.ReadAllLines(log).Select(line => Time().Replace(line, "\tTIME\tTIME\t", 1));

    [GeneratedRegex(@"\t\d{10}\.\d{3}\t {0,9}\d+\.\d{3}(?<=\t.{10})\t")]
    private static partial Regex Time();
}
