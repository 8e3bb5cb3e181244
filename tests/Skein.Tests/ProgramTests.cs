using System.IO.Pipelines;
using System.Text;

namespace Skein.Tests;

public class ProgramTests
{
    protected virtual Place Place => Place.OsProcess;

    async Task<int> Run(ProgramStart start)
    {
        await using var process = await Place.StartProgramAsync(start).Within();
        return await process.Completion.Within();
    }

    [Fact]
    public async Task A_program_ends_with_its_exit_code() =>
        Assert.Equal(7, await Run(new("sh", "-c", "exit 7")));

    [Fact]
    public async Task A_program_reads_its_input_and_its_output_arrives_whole()
    {
        var words = string.Join('\n', Enumerable.Range(0, 100_000).Select(n => $"word{n % 1000}")) + "\n";
        var sorted = new MemoryStream();
        await using var process = await Place.StartProgramAsync(new("sort", "-u")
        {
            StandardInput = new MemoryStream(Encoding.UTF8.GetBytes(words)),
            StandardOutput = ProgramOutput.To(sorted),
        }).Within();

        Assert.Equal(0, await process.Completion.Within(30));
        var lines = Encoding.UTF8.GetString(sorted.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"word{n}").Order(StringComparer.Ordinal), lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Both_outputs_of_a_program_can_go_to_one_place_which_gets_one_piece_at_a_time()
    {
        using var met = new ManualResetEventSlim();
        var (inside, length) = (0, 0);
        var both = ProgramOutput.To(piece =>
        {
            length += piece.Length;
            if (Interlocked.Increment(ref inside) > 1)
                met.Set();
            else
                met.Wait(Limits.Seconds(0.1));   // for the other one, which must not come
            Interlocked.Decrement(ref inside);
        });
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "echo out; echo err >&2") { StandardOutput = both, StandardError = both }).Within();
        Assert.Equal(0, await process.Completion.Within());
        await process.Exited.Within();
        Assert.False(met.IsSet);
        Assert.Equal(8, length);
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_is_told_by_the_task()
    {
        var (missing, cancelled) = (Place.StartProgramAsync(new("no-such-program")), Place.StartProgramAsync(new("true"), new(canceled: true)));
        await Assert.ThrowsAsync<FileNotFoundException>(() => missing.Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.Within());
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_named() =>
        Assert.Contains("no-such-program", (await Assert.ThrowsAsync<FileNotFoundException>(() => Run(new("no-such-program")))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_cannot_be_executed_is_named() =>
        Assert.Contains("/etc/passwd", (await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Run(new("/etc/passwd")))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Lines_that_a_program_prints_are_handed_on_and_the_last_errors_are_kept()
    {
        List<string> lines = [], errors = [];
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "echo a; printf b; echo c >&2; printf d >&2; exit 3")
        {
            Options = new() { OnOutput = lines.Add, OnError = errors.Add },
        }).Within();
        var exit = await process.Exited.Within();
        Assert.Equal(["a", "b", "-", "c", "d"], [.. lines, "-", .. errors]);
        Assert.Equal((3, $"c{Environment.NewLine}d"), (exit.Code, exit.StandardError));
    }

    [Fact]
    public async Task The_last_errors_of_a_program_are_told_when_it_is_lost()
    {
        var taken = new MemoryStream();
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "echo gone >&2; kill -9 $$") { StandardError = ProgramOutput.To(taken) }).Within();
        var lost = await Assert.ThrowsAsync<ProcessLostException>(() => process.Completion.Within());
        Assert.Equal(("gone", "gone\n"), (lost.Exit.StandardError, Encoding.UTF8.GetString(taken.ToArray())));
        Assert.EndsWith("gone", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_stopped_and_then_killed_with_its_children()
    {
        var printed = new MemoryStream();
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "trap '' TERM; sleep 600 & echo $!; while true; do sleep 1; done")
        {
            StandardOutput = ProgramOutput.To(printed),
            Options = new() { TimeLimit = Limits.Seconds(0.25), Grace = TimeSpan.FromMilliseconds(100) },
        }).Within();
        await Assert.ThrowsAsync<TimeoutException>(() => process.Completion.Within());
        var exit = await process.Exited.Within();
        Assert.Equal((ExitCause.TimedOut, 9), (exit.Cause, exit.Signal));
        Assert.False(Directory.Exists($"/proc/{process.OsProcessId}"));
        var child = int.Parse(Encoding.UTF8.GetString(printed.ToArray()), System.Globalization.CultureInfo.InvariantCulture);
        await Limits.Until(() => !Pools.Functions.IsAlive(child), "the end of the program's child");
    }

    [Fact]
    public async Task Stopping_a_program_asks_it_first()
    {
        var printed = new MemoryStream();
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "trap 'echo asked; exit 3' TERM; echo ready; while true; do sleep 0.05; done")
        {
            StandardOutput = ProgramOutput.To(printed),
        }).Within();
        await Limits.Until(() => printed.Length > 0, "the program to be ready");
        await process.StopAsync(Limits.Seconds(5)).Within(10);
        Assert.Equal(3, (await process.Exited.Within()).Code);
        Assert.Equal("ready\nasked\n", Encoding.UTF8.GetString(printed.ToArray()));
    }

    [Fact]
    public async Task A_program_runs_in_its_folder_and_is_found_there()
    {
        using var folder = new Cli.ScratchFolder();
        folder.Write("here.sh", "#!/bin/sh\npwd\necho $COLOUR\n");
        Assert.Equal(0, await Run(new("chmod", "+x", folder["here.sh"])));
        var lines = new List<string>();
        await using var process = await Place.StartProgramAsync(new("./here.sh")
        {
            Options = new() { WorkingDirectory = folder.Path, Environment = new Dictionary<string, string> { ["COLOUR"] = "blue" }, OnOutput = lines.Add },
        }).Within();
        Assert.Equal(0, await process.Completion.Within());
        Assert.Equal([folder.Path, "blue"], lines);
    }

    [Fact]
    public async Task A_program_is_kept_to_its_processors()
    {
        var (lines, input) = (new List<string>(), new Pipe());
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "read x; grep Cpus_allowed_list /proc/self/status")
        {
            StandardInput = input.Reader.AsStream(),
            Options = new() { Processors = [0], OnOutput = lines.Add },
        }).Within();
        await input.Writer.WriteAsync("go\n"u8.ToArray());   // a place may start it first and keep it to them then
        Assert.Equal(0, await process.Completion.Within());
        Assert.Equal("Cpus_allowed_list:\t0", Assert.Single(lines));
    }

    [Fact]
    public async Task A_handler_of_lines_that_throws_ends_the_program_and_is_its_failure()
    {
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "echo x; sleep 600")
        {
            Options = new() { OnOutput = static _ => throw new FormatException("mine") },
        }).Within();
        Assert.Contains("mine", (await Assert.ThrowsAsync<IOException>(() => process.Completion.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_source_of_a_program_that_has_ended_is_left_alone()
    {
        var source = new Idle();
        await using var process = await Place.StartProgramAsync(new("true") { StandardInput = source }).Within();
        Assert.Equal(0, await process.Completion.Within());
        await source.Left.Task.Within();
        Assert.Equal(ExitCause.Returned, (await process.Exited.Within()).Cause);
    }

    /// <summary>Has nothing yet, and fails when it is not wanted any more, as a connection does.</summary>
    sealed class Idle : MemoryStream
    {
        public TaskCompletionSource Left { get; } = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                return 0;
            }
            catch (OperationCanceledException)
            {
                Left.SetResult();
                throw new IOException("left");
            }
        }
    }

    [Fact]
    public async Task A_source_that_fails_ends_its_program_and_is_its_failure()
    {
        var source = new MemoryStream();
        source.Dispose();
        await using var process = await Place.StartProgramAsync(new("sleep", "600") { StandardInput = source }).Within();
        Assert.IsType<ObjectDisposedException>((await Assert.ThrowsAsync<IOException>(() => process.Completion.Within())).InnerException);
        Assert.Equal(ExitCause.Killed, (await process.Exited.Within()).Cause);
    }

    [Fact]
    public async Task What_has_escaped_and_holds_the_output_open_does_not_hold_up_the_end()
    {
        // Without environment, group and parent nobody knows any more whose it is.
        const string Escape = "setsid env -i sleep 600 & echo $!; until grep -q sleep /proc/$!/comm; do sleep 0.01; done; exit 3";
        var lines = new List<string>();
        await using var process = await Place.StartProgramAsync(new("sh", "-c", Escape) { Options = new() { OnOutput = lines.Add } }).Within();
        try
        {
            Assert.Equal(3, await process.Completion.Within());
        }
        finally
        {
            await Run(new("sh", "-c", $"kill -9 {lines[0]}"));
        }
    }

    [Fact]
    public async Task A_program_may_have_less_memory_than_a_worker_needs() =>
        Assert.Equal(7, await Run(new("sh", "-c", "exit 7") { Options = new() { MemoryLimit = 8 << 20 } }));

    [Fact]
    public async Task A_program_that_a_signal_ended_says_which()
    {
        await using var process = await Place.StartProgramAsync(new("sh", "-c", "kill -SEGV $$")).Within();
        var lost = await Assert.ThrowsAsync<ProcessLostException>(() => process.Completion.Within());
        Assert.Equal((ExitCause.Signalled, 11, 139), (lost.Exit.Cause, lost.Exit.Signal, lost.Exit.ShellCode));
        Assert.Contains("SIGSEGV", lost.Message, StringComparison.Ordinal);
    }
}

public class PortableProgramTests : ProgramTests
{
    protected override Place Place { get; } = new PortableProcessPlace();
}
