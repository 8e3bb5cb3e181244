using System.Text.RegularExpressions;

namespace Skein.Tests.Cli;

/// <summary>The job log has GNU parallel's columns, and a run can be resumed from it.</summary>
public sealed partial class JobLogTests : IDisposable
{
    const string Header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

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
        await SkeinCommand.RunAsync("map", "--keep-going", "--jobs", "1", "--timeout", "3s", "--joblog", _folder["log"], "--", "sh", "-c", "eval \"$0\"", ":::", "exit 3", "kill -9 $$", "exec sleep 600", "echo hallo", "echo a\n");
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
        _folder.Write("log", Header + "1\t:\t1.000\t     0.001\t0\t0\t0\t0\techo 1\n2\t:\t1.000\t     0.001\t0\t0\t0\t0\techo 2");
        var ended = await SkeinCommand.RunAsync("map", "--resume", "--joblog", _folder["log"], "--", "echo", ":::", "1", "2", "23");
        Assert.Equal("2\n23\n", ended.Output);
        Assert.Equal(4, File.ReadAllLines(_folder["log"]).Length);
    }

    [Theory]
    [InlineData(Header + "1\t:\t1.000\t     0.001\t0\t0\t0\t0\techo 1\n2\t:\t1.000\t", "echo 2\n")]
    [InlineData("", "echo 1\necho 2\n")]
    public async Task A_dry_run_goes_by_the_log_and_leaves_it_as_it_is(string log, string printed)
    {
        _folder.Write("log", log);
        var ended = await SkeinCommand.RunAsync("map", "--dry-run", "--resume", "--joblog", _folder["log"], "--", "echo", ":::", "1", "2");
        Assert.Equal((0, printed), (ended.Code, ended.Output));
        Assert.Equal(log, File.ReadAllText(_folder["log"]));
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

    [Fact]
    public async Task What_a_killed_run_had_not_written_comes_when_it_is_resumed()
    {
        // The first job waits for a file that is there the second time: the log knows jobs by their words. When the third begins, the second is over.
        var job = _folder.Write("job", $"case $1 in slow) while ! test -e {_folder["go"]}; do sleep 0.05; done;; next) touch {_folder["next"]};; esac; echo $1");
        string[] words = ["--jobs", "2", "--joblog", _folder["log"], "--", "sh", job, ":::", "slow", "fast", "next"];
        using (var killed = SkeinCommand.Start(["map", .. words]))
        {
            await Limits.Until(() => File.Exists(_folder["next"]), "the third job");
            await killed.SignalAsync("KILL");
            Assert.Equal("", (await killed.EndAsync()).Output);
        }

        _folder.Write("go", "");
        var resumed = await SkeinCommand.RunAsync(["map", "--resume", .. words]);
        Assert.Equal((0, "slow\nfast\nnext\n"), (resumed.Code, resumed.Output));
    }

    [Fact]
    public async Task What_had_ended_is_written_and_logged_though_the_run_breaks_off()
    {
        // The first job prints more than is kept in memory, and there is no folder for it any more. When the third begins, the second is over.
        Directory.CreateDirectory(_folder["temporary"]);
        var job = _folder.Write("job", $"case $1 in large) while ! test -e {_folder["last"]}; do sleep 0.05; done; rm -r {_folder["temporary"]}; exec head -c 5000000 /dev/zero;; small) echo small;; last) touch {_folder["last"]}; exec sleep 60;; esac");
        var ended = await SkeinCommand.RunAsync(
            "", ["map", "--jobs", "2", "--joblog", _folder["log"], "--", "sh", job, ":::", "large", "small", "last"], new Dictionary<string, string> { ["TMPDIR"] = _folder["temporary"] });
        Assert.Equal((75, "small\n"), (ended.Code, ended.Output));
        Assert.Contains("temporary folder", ended.Error);
        Assert.Equal(["2"], File.ReadAllLines(_folder["log"]).Skip(1).Select(line => line.Split('\t')[0]));
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_any_more_ends_the_run_with_the_reason()
    {
        // In a mount namespace of its own, so that nothing is left mounted.
        string[] mounted = ["-m", "sh", "-c", "mount -t tmpfs -o size=64k skein-log /mnt && exec \"$@\"", "sh"];
        var probe = await SkeinCommand.RunProgramAsync("unshare", [.. mounted, "true"]);
        if (probe.Code != 0)
            Assert.Skip($"A folder cannot be mounted here: {probe.Error}");

        // The first job fills the disk; its line is longer than what the file already has of it.
        var input = new string('x', 10_000);
        var ended = await SkeinCommand.RunProgramAsync("unshare",
            [.. mounted, "dotnet", SkeinCommand.Dll, "map", "--jobs", "1", "--joblog", "/mnt/log", "--", "sh", "-c", "head -c 1000000 /dev/zero >/mnt/full 2>/dev/null; echo $0", ":::", input, "never"]);
        Assert.Equal((75, input + "\n"), (ended.Code, ended.Output));
        Assert.Contains("--joblog: the log cannot be written: No space left on device", ended.Error);
        Assert.DoesNotContain("report it", ended.Error);
    }

    [Fact]
    public async Task A_log_that_there_is_no_room_for_ends_the_run_before_its_first_job()
    {
        var ended = await SkeinCommand.RunAsync("map", "--joblog", "/dev/full", "--", "echo", ":::", "a");
        Assert.Equal((75, ""), (ended.Code, ended.Output));
        Assert.Contains("--joblog: No space left on device", ended.Error);
    }

    [Fact]
    public async Task A_pipe_can_be_a_log_but_none_to_resume_from()
    {
        var written = await SkeinCommand.RunAsync("map", "--jobs", "1", "--joblog", "/dev/stderr", "--", "echo", ":::", "a", "b");
        Assert.Equal((0, "a\nb\n"), (written.Code, written.Output));
        Assert.Equal(["Command", "echo a", "echo b"], written.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[^1]));

        await SkeinCommand.RunProgramAsync("mkfifo", _folder["pipe"]);
        foreach (var dryRun in (string[][])[[], ["--dry-run"]])
        {
            var resumed = await SkeinCommand.RunAsync(["map", .. dryRun, "--resume", "--joblog", _folder["pipe"], "--", "echo", ":::", "a"]);
            Assert.Equal((66, ""), (resumed.Code, resumed.Output));
            Assert.Contains("cannot be resumed from: it is a pipe or a terminal", resumed.Error);
        }
    }

    static IEnumerable<string> Comparable(string log) => File.ReadAllLines(log).Select(line => Time().Replace(line, "\tTIME\tTIME\t", 1));

    [GeneratedRegex(@"\t\d{10}\.\d{3}\t {0,9}\d+\.\d{3}(?<=\t.{10})\t")]
    private static partial Regex Time();
}
