using System.Diagnostics;
using System.Text.Json;

namespace Skein.Tests.Cli;

/// <summary>A job that fails, hangs, leaks or cannot start costs what the options say, and the exit code tells it.</summary>
public sealed class MapFailureTests
{
    [Fact]
    public async Task The_exit_code_is_that_of_the_first_job_that_failed_and_no_further_job_starts()
    {
        var ended = await SkeinCommand.RunAsync("map", "--jobs", "1", "--", "sh", "-c", "echo $0; exit $0", ":::", "0", "7", "3", "0");
        Assert.Equal((7, "0\n7\n"), (ended.Code, ended.Output));
        Assert.Contains("job 2: exit code 7", ended.Error);
    }

    [Fact]
    public async Task With_keep_going_all_run_and_the_exit_code_counts_the_failures()
    {
        var ended = await SkeinCommand.RunAsync("map", "--keep-going", "--", "sh", "-c", "echo $0; exit $0", ":::", "0", "7", "3", "0");
        Assert.Equal((2, "0\n7\n3\n0\n"), (ended.Code, ended.Output));
        var many = await SkeinCommand.RunAsync(string.Concat(Enumerable.Repeat("x\n", 150)), ["map", "--keep-going", "--", "false"]);
        Assert.Equal(101, many.Code);
    }

    [Fact]
    public async Task After_as_many_failures_as_halt_says_no_job_starts_and_the_running_ones_end()
    {
        var soon = await SkeinCommand.RunAsync("map", "--jobs", "1", "--halt", "soon,fail=2", "--", "sh", "-c", "echo $0; exit $0", ":::", "0", "4", "0", "5", "0");
        Assert.Equal((4, "0\n4\n0\n5\n"), (soon.Code, soon.Output));

        var running = await SkeinCommand.RunAsync("map", "--jobs", "2", "--", "sh", "-c", "test $0 = long || exit 9; sleep 1; echo done", ":::", "short", "long", "never", "never");
        Assert.Equal((9, "done\n"), (running.Code, running.Output));
    }

    [Fact]
    public async Task Halt_now_stops_the_running_jobs_with_their_descendants()
    {
        using var folder = new ScratchFolder();
        var started = Stopwatch.GetTimestamp();
        var ended = await SkeinCommand.RunAsync("map", "--jobs", "2", "--halt", "now,fail=1", "--", "sh", "-c",
            $"if test $0 = long; then sh -c 'echo $$ > {folder["child"]}; exec sleep 60' & wait; else while ! test -s {folder["child"]}; do sleep 0.05; done; exit 5; fi", ":::", "long", "short", "never");
        Assert.Equal(5, ended.Code);
        Assert.True(Stopwatch.GetElapsedTime(started) < Limits.Seconds(10));
        var child = File.ReadAllText(folder["child"]).Trim();
        await Limits.Until(() => !Directory.Exists($"/proc/{child}"), "the end of the job's child");
    }

    [Fact]
    public async Task Halt_now_stops_the_running_jobs_while_the_output_of_the_failed_one_waits_to_be_read()
    {
        using var folder = new ScratchFolder();
        var script = $"if test $0 = failing; then while ! test -e {folder["begun"]}; do sleep 0.05; done; head -c 1000000 /dev/zero; exit 5; fi; "
            + $"trap 'echo > {folder["stopped"]}; exit 0' TERM; echo > {folder["begun"]}; while :; do sleep 0.05; done";
        using var started = SkeinCommand.Start(["map", "--jobs", "2", "--grace", "20s", "--halt", "now,fail=1", "--", "sh", "-c", script, ":::", "failing", "running"]);
        started.IsRead = false;
        await Limits.Until(() => File.Exists(folder["stopped"]), "the end of the other job", 20);
        started.IsRead = true;
        var ended = await started.EndAsync();
        Assert.Equal((5, 1_000_000), (ended.Code, ended.Output.Length));
        Assert.Contains("job 1: exit code 5", ended.Error);
    }

    [Fact]
    public async Task What_a_job_leaves_running_ends_with_it_though_it_has_a_session_of_its_own()
    {
        using var folder = new ScratchFolder();
        var ended = await SkeinCommand.RunAsync("map", "--", "sh", "-c", $"setsid sh -c 'echo $$ > {folder.Path}/$0; exec sleep 60' $0 & while ! test -s {folder.Path}/$0; do sleep 0.01; done; echo $0", ":::", "a", "b", "c", "d");
        Assert.Equal((0, "a\nb\nc\nd\n"), (ended.Code, ended.Output));
        foreach (var file in Directory.GetFiles(folder.Path))
            await Limits.Until(() => !Directory.Exists($"/proc/{File.ReadAllText(file).Trim()}"), "the end of what the job left");
    }

    [Fact]
    public async Task A_job_that_hangs_is_timed_out_and_ends_with_124()
    {
        var ended = await SkeinCommand.RunAsync("map", "--timeout", "300ms", "--", "sleep", ":::", "60");
        Assert.Equal(124, ended.Code);
        Assert.Contains("job 1: timed out: sleep 60", ended.Error);
    }

    [Fact]
    public async Task A_job_that_ignores_SIGTERM_is_killed_after_the_grace_period()
    {
        var ended = await SkeinCommand.RunAsync("map", "--timeout", "300ms", "--grace", "200ms", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", ":::", "x");
        Assert.Equal(124, ended.Code);
    }

    [Fact]
    public async Task A_job_that_needs_more_memory_than_it_may_use_ends_with_137_and_its_neighbours_do_not_notice()
    {
        var ended = await SkeinCommand.RunAsync("map", "--memory", "64M", "--keep-going", "--json", "--", "sh", "-c", "test $0 = leak && exec tail /dev/zero; echo $0", ":::", "a", "leak", "b");
        var jobs = ended.Lines[..3].Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal([0, 137, 0], jobs.Select(job => job.GetProperty("exitCode").GetInt32()));
        Assert.Equal("outOfMemory", jobs[1].GetProperty("cause").GetString());
        Assert.Equal(1, ended.Code);
    }

    [Fact]
    public async Task A_job_killed_by_a_signal_ends_with_128_and_its_number()
    {
        var ended = await SkeinCommand.RunAsync("map", "--", "sh", "-c", "kill -$0 $$", ":::", "SEGV");
        Assert.Equal(139, ended.Code);
        Assert.Contains("killed by signal 11", ended.Error);
    }

    [Fact]
    public async Task A_program_that_is_missing_ends_with_127_and_one_that_is_none_with_126_both_named()
    {
        var missing = await SkeinCommand.RunAsync("map", "--", "no-such-program", ":::", "a");
        Assert.Equal(127, missing.Code);
        Assert.Contains("There is no program 'no-such-program' in the folders of PATH: no-such-program a", missing.Error);
        var none = await SkeinCommand.RunAsync("map", "--", "/etc/passwd", ":::", "a");
        Assert.Equal(126, none.Code);
        Assert.Contains("/etc/passwd", none.Error);
    }

    [Fact]
    public async Task Descriptors_that_have_run_out_are_said_and_cost_only_the_jobs_that_wanted_them()
    {
        var ended = await SkeinCommand.RunProgramAsync("bash", "-c", $"ulimit -n 90; dotnet {SkeinCommand.Dll} map --jobs 60 --keep-going -- sh -c 'sleep 0.5; echo $0' ::: $(seq 60)");
        Assert.InRange(ended.Code, 1, 59);
        Assert.Equal(60 - ended.Code, ended.Lines.Length);
        Assert.Contains("Too many open files", ended.Error);
    }

    [Fact]
    public async Task A_failed_job_is_tried_again_as_often_as_asked_for_and_only_its_last_output_is_shown()
    {
        using var folder = new ScratchFolder();
        var script = folder.Write("job", $"echo x >> {folder["tries"]}; echo try; test $(wc -l < {folder["tries"]}) = 3");
        var ended = await SkeinCommand.RunAsync("map", "--retry", "2", "--", "sh", script, ":::", "a");
        Assert.Equal((0, "try\n"), (ended.Code, ended.Output));
        File.Delete(folder["tries"]);
        var given = await SkeinCommand.RunAsync("map", "--retry", "1", "--", "sh", script, ":::", "a");
        Assert.Equal(1, given.Code);
        Assert.Contains("(2 tries)", given.Error);
    }

    [Fact]
    public async Task Ctrl_C_gives_the_running_jobs_the_grace_period_and_starts_no_others()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--jobs", "1", "--grace", "20s", "--unordered", "--", "sh", "-c", "trap 'echo stopped; exit 0' TERM; echo $$ > $0; while :; do sleep 0.05; done", ":::", folder["begun"], folder["never"]]);
        await Limits.Until(() => File.Exists(folder["begun"]) && new FileInfo(folder["begun"]).Length > 0, "the job's start");
        await started.SignalAsync("INT");
        var ended = await started.EndAsync();
        Assert.Equal((130, "stopped\n"), (ended.Code, ended.Output));
        Assert.False(File.Exists(folder["never"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Ctrl_C_stops_the_jobs_and_ends_with_130_though_nobody_reads_what_is_written_any_more(int descriptor)
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.StartUnread(descriptor, ["map", "--grace", "20s", "--", "sh", "-c", $"trap 'echo stopped; echo > {folder["stopped"]}; exit 0' TERM; echo > {folder["begun"]}; while :; do sleep 0.05; done", ":::", "a"]);
        await Limits.Until(() => File.Exists(folder["begun"]), "the job's start");
        await started.SignalAsync("INT");
        Assert.Equal(130, (await started.EndAsync()).Code);
        Assert.True(File.Exists(folder["stopped"]));
    }

    [Fact]
    public async Task SIGTERM_stops_the_jobs_while_an_output_waits_to_be_read()
    {
        using var folder = new ScratchFolder();
        var script = $"test $0 = large && exec head -c 1000000 /dev/zero; trap 'echo > {folder["stopped"]}; exit 0' TERM; echo > {folder["begun"]}; while :; do sleep 0.05; done";
        using var started = SkeinCommand.Start(["map", "--jobs", "2", "--grace", "20s", "--", "sh", "-c", script, ":::", "large", "waiting"]);
        started.IsRead = false;
        await Limits.Until(() => File.Exists(folder["begun"]) && started.Output.Length > 0, "an output of which only the begin is read");
        await started.SignalAsync("TERM");
        await Limits.Until(() => File.Exists(folder["stopped"]), "the end of the other job");
        started.IsRead = true;
        var ended = await started.EndAsync();
        Assert.Equal((143, 1_000_000), (ended.Code, ended.Output.Length));
    }

    [Fact]
    public async Task After_Ctrl_C_nothing_is_said_to_be_left()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--jobs", "1", "--", "sh", "-c", "test $0 = a || { echo $$ > $0; exec sleep 60; }", ":::", "a", folder["job"], "c"]);
        await Limits.Until(() => File.Exists(folder["job"]) && new FileInfo(folder["job"]).Length > 0, "the second job's start");
        await started.SignalAsync("INT");
        var ended = await started.EndAsync();
        Assert.Equal(130, ended.Code);
        Assert.Matches("(?m)^skein: 1 of 3 done, 0 failed, [^,]*, [^,]*, 1 stopped$", ended.Error);
    }

    [Theory]
    [InlineData("HUP", 129)]
    [InlineData("TERM", 143)]
    public async Task A_hang_up_leaves_the_jobs_their_grace_period_however_often_it_comes(string signal, int code)
    {
        // The job itself hangs up, again and again, while it ends.
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--grace", "10m", "--", "sh", "-c", $"trap 'for i in 1 2 3 4 5 6 7 8 9 10; do kill -HUP $PPID; sleep 0.05; done; echo stopped; exit 0' TERM; echo > {folder["begun"]}; while :; do sleep 0.05; done", ":::", "a"]);
        await Limits.Until(() => File.Exists(folder["begun"]), "the job's start");
        await started.SignalAsync(signal);
        var ended = await started.EndAsync();
        Assert.Equal((code, "stopped\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task Ctrl_C_twice_does_not_wait_for_the_grace_period()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--grace", "10m", "--", "sh", "-c", "trap '' TERM; echo $$ > $0; while :; do sleep 0.05; done", ":::", folder["job"]]);
        await Limits.Until(() => File.Exists(folder["job"]) && new FileInfo(folder["job"]).Length > 0, "the job's start");
        await started.SignalAsync("INT");
        await Limits.Until(() => started.Error.Contains("stopping"), "the first stop");
        await started.SignalAsync("INT");
        Assert.Equal(130, (await started.EndAsync()).Code);
        var job = File.ReadAllText(folder["job"]).Trim();
        await Limits.Until(() => !Directory.Exists($"/proc/{job}"), "the end of the job");
    }
}
