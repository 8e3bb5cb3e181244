namespace Skein.Tests.Pools;

// What a user does who has not read the manual, and what must not happen then.
public class UserMistakeTests
{
    static Task<WorkerPool> Start(int workers = 2) => WorkerPool.StartAsync(Place.OsProcess, new() { Workers = workers }).Within(20);

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task What_the_codec_has_refused_alone_travels_with_a_process()
    {
        var (output, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["codec-first"])).Within(20);

        Assert.True(status.Code == 0, $"{status} {output}");
    }

    [Fact]
    public async Task A_mapping_over_a_pool_that_was_disposed_of_ends_with_an_error()
    {
        var pool = await Start();
        await pool.DisposeAsync().AsTask().Within();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Count(pool.MapAsync(Enumerable.Range(0, 3), static n => n)).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Count(pool.MapUnorderedAsync(Enumerable.Range(0, 3), static n => n)).Within());
    }

    [Fact]
    public async Task A_pool_that_was_disposed_of_says_so_by_the_task()
    {
        var pool = await Start(1);
        await pool.DisposeAsync().AsTask().Within();
        var task = pool.RunAsync(static () => 1);
        Assert.True(task.IsFaulted);
        Assert.Contains(pool.Id, (await Assert.ThrowsAsync<ObjectDisposedException>(() => task)).Message, StringComparison.Ordinal);
        Assert.Throws<ObjectDisposedException>(() => pool.Resize(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_task_that_runs_when_its_pool_is_disposed_of_is_told_that(bool listens)
    {
        var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Grace = TimeSpan.FromMilliseconds(200) }).Within(20);
        var started = new TaskCompletionSource();
        var running = pool.RunAsync(
            static async (wait, begin) =>
            {
                await begin.InvokeAsync(0);
                await Task.Delay(Timeout.Infinite, wait ? Here.Stopping : default);
            },
            listens,
            Callback.To((int _) => started.SetResult()));
        await started.Task.Within();
        await pool.DisposeAsync().AsTask().Within();
        Assert.Contains("disposed of", (await Assert.ThrowsAsync<ObjectDisposedException>(() => running.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_is_returned_after_the_time_out_is_the_result()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(5) }).Within(20);
        Assert.Equal(7, await pool.RunAsync(UntilAsked).Within());
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping)).Within());
        foreach (var place in (Place[])[Place.OsProcess, Place.Thread])
        {
            var limits = new ProcessOptions { TimeLimit = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(5) };
            await using var kept = await place.StartAsync(UntilAsked, limits).Within();
            Assert.Equal(7, await kept.Completion.Within());
            await using var stopped = await place.StartAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping), limits).Within();
            await Assert.ThrowsAsync<TimeoutException>(() => stopped.Completion.Within());
        }
    }

    static int UntilAsked()
    {
        Here.Stopping.WaitHandle.WaitOne();
        return 7;
    }

    [Fact]
    public async Task Why_no_worker_can_be_started_is_seen_at_the_pool()
    {
        using var folder = new Cli.ScratchFolder();
        var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, WorkingDirectory = Directory.CreateDirectory(folder["work"]).FullName }).Within(20);
        Assert.Null(pool.LastFailure);
        Directory.Delete(folder["work"]);
        await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(static () => Environment.FailFast("lost")).Within());
        await Limits.Until(() => pool.LastFailure is not null, "a failure");
        Assert.Contains(folder["work"], pool.LastFailure!.Message, StringComparison.Ordinal);
        var waiting = pool.RunAsync(static () => 1);
        await pool.DisposeAsync().AsTask().Within();
        Assert.Contains(folder["work"], (await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_progress_may_be_declared_as_what_it_is_and_another_class_is_told_how()
    {
        await using var pool = await Start(1);
        var reported = new List<int>();
        var own = new Own(reported.Add);
        var plain = new Progress<int>();
        plain.ProgressChanged += (_, _) => { };
        await pool.RunAsync(static (Progress<int> progress) => ((IProgress<int>)progress).Report(1), plain).Within();
        await pool.RunAsync(() => ((IProgress<int>)plain).Report(2)).Within();
        await pool.RunAsync(static (IProgress<int> progress) => progress.Report(3), own).Within();
        Assert.Equal([3], reported);
        var refused = await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(static (Own progress) => progress.Report(4), own).Within());
        Assert.Contains("argument 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("declare it as IProgress<Int32>", refused.Message, StringComparison.Ordinal);
        Kind kind = new Reporting();
        Assert.Contains("closure.kind", (await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(() => kind.Report(6)).Within())).Message, StringComparison.Ordinal);
        ISpecial special = new Reporting();
        Assert.Contains("closure.special", (await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(() => special.Report(7)).Within())).Message, StringComparison.Ordinal);
        Assert.Contains("closure.own", (await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(() => own.Report(5)).Within())).Message, StringComparison.Ordinal);
        Assert.Equal(1, pool.StartedWorkers);
    }

    [Fact]
    public async Task All_reports_are_delivered_when_their_task_has_ended()
    {
        await using var pool = await Start(1);
        for (var round = 0; round < 100; round++)
        {
            var last = 0;
            await pool.RunAsync(
                static (IProgress<int> progress) =>
                {
                    for (var i = 1; i <= 20; i++)
                        progress.Report(i);
                },
                (IProgress<int>)new Own(value => last = value)).Within();
            Assert.Equal(20, last);
        }
    }

    [Fact]
    public async Task A_handler_of_progress_that_throws_fails_its_task_and_no_other()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, Grace = TimeSpan.FromMilliseconds(100) }).Within(20);
        IProgress<int> broken = new Own(static _ => throw new FormatException("mine"));
        var whole = pool.RunAsync(static progress => progress.Report(1), broken);
        Assert.Equal("mine", (await Assert.ThrowsAsync<FormatException>(() => whole.Within())).Message);
        await Assert.ThrowsAsync<FormatException>(() => pool.RunAsync(
            static progress =>
            {
                progress.Report(1);
                Thread.Sleep(Timeout.Infinite);   // asked to stop, then killed
            },
            broken).Within());
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 3), n => Report(broken, n), new() { ChunkSize = 1 }))
            Assert.Equal(outcome.Index == 1, outcome.Error is FormatException);
        await using var process = await Place.OsProcess.StartAsync(static progress => progress.Report(1), broken).Within();
        await Assert.ThrowsAsync<FormatException>(() => process.Completion.Within());
        Assert.Equal(3, await pool.RunAsync(static () => 3).Within());
    }

    static int Report(IProgress<int> progress, int n)
    {
        if (n == 1)
            progress.Report(n);
        return n;
    }

    [Fact]
    public async Task A_handler_of_lines_that_throws_fails_the_process_that_printed_them()
    {
        await using var process = await Place.OsProcess.StartAsync(static () => Console.WriteLine("x"), new() { OnOutput = static _ => throw new FormatException("mine") }).Within();
        Assert.Equal("mine", (await Assert.ThrowsAsync<FormatException>(() => process.Completion.Within())).Message);
        await process.Exited.Within();

        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, OnOutput = static line => throw new FormatException(line) }).Within(20);
        var printing = pool.RunAsync(static async () =>
        {
            Console.WriteLine("y");
            await Task.Delay(Timeout.Infinite, Here.Stopping);
        });
        Assert.Equal("y", (await Assert.ThrowsAsync<FormatException>(() => printing.Within())).Message);
        Assert.Equal(3, await pool.RunAsync(static () => 3).Within());

        await using var program = await Place.OsProcess.StartProgramAsync(new("echo", "z") { Options = new() { OnOutput = static _ => throw new FormatException("mine") } }).Within();
        Assert.Contains("mine", (await Assert.ThrowsAsync<IOException>(() => program.Completion.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_is_drained_after_a_mapping_too()
    {
        await using var pool = await Start();
        Assert.Equal(10, await Count(pool.MapAsync(Enumerable.Range(0, 10), static n => n)).Within());
        await pool.DrainAsync().Within();
    }

    interface ISpecial : IProgress<int>;

    abstract class Kind : ISpecial
    {
        public abstract void Report(int value);
    }

    sealed class Reporting : Kind
    {
        public override void Report(int value) { }
    }

    sealed class Own(Action<int> handle) : IProgress<int>
    {
        public void Report(int value) => handle(value);
    }

    [Fact]
    public async Task Leaving_a_loop_over_a_slow_stream_of_inputs_ends_it_quietly()
    {
        await using var pool = await Start();
        var release = new TaskCompletionSource();
        async IAsyncEnumerable<int> Slow()
        {
            yield return 1;
            await release.Task;
            yield return 2;
        }

        async Task Leave()
        {
            await foreach (var outcome in pool.MapAsync(Slow(), static n => n))
            {
                Assert.Equal(1, outcome.Value);
                throw new FormatException("mine");
            }
        }

        Assert.Equal("mine", (await Assert.ThrowsAsync<FormatException>(() => Leave().Within())).Message);
        release.SetResult();
    }

    [Fact]
    public async Task A_callback_or_a_report_after_the_end_of_its_task_harms_no_other()
    {
        await using var pool = await Start(1);
        var callback = Callback.To((int n) => n + 1);
        await pool.RunAsync(static later => { Late = later; }, callback).Within();
        await pool.RunAsync(static report => { LateReport = report; }, (IProgress<int>)new Progress<int>()).Within();
        Assert.Contains("has ended", await pool.RunAsync(static async () =>
        {
            LateReport!.Report(1);
            try
            {
                await Late!.InvokeAsync(1);
                return "it was called";
            }
            catch (InvalidOperationException error)
            {
                return error.Message;
            }
        }).Within(), StringComparison.Ordinal);
        Assert.Equal(1, pool.StartedWorkers);
    }

    [Fact]
    public async Task A_chunk_may_be_larger_than_any_input()
    {
        await using var pool = await WorkerPool.StartAsync(Place.Thread, new() { Workers = 1 }).Within(20);
        var squares = new List<int>();
        await foreach (var square in pool.MapAsync(Enumerable.Range(0, 10_000), static n => n * n, new() { ChunkSize = int.MaxValue }))
            squares.Add(square.Value);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(static n => n * n), squares);
    }

    [Fact]
    public void A_chunk_of_no_inputs_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MapOptions { ChunkSize = 0 });

    [Fact]
    public async Task A_pool_that_was_made_smaller_stays_so()
    {
        await using var pool = await Start(3);
        pool.Resize(1);
        await Limits.Until(() => pool.WorkerCount == 1, "one worker");
        var tasks = Enumerable.Range(0, 30).Select(_ => pool.RunAsync(static () => Conformance.Functions.Spin(0.02))).ToArray();
        await Task.WhenAll(tasks).Within();
        Assert.Equal(1, pool.WorkerCount);
    }

    [Fact]
    public async Task A_function_that_cancels_itself_fails_with_what_it_threw()
    {
        await using var pool = await Start();
        Assert.Equal("own", (await Assert.ThrowsAsync<OperationCanceledException>(() => pool.RunAsync(static () => throw new OperationCanceledException("own")).Within())).Message);
    }

    [Fact]
    public async Task An_input_stream_that_fails_does_not_pass_for_a_short_one()
    {
        await using var process = await Place.OsProcess.StartProgramAsync(new("cat") { StandardInput = new Broken(), StandardOutput = ProgramOutput.Discard }).Within();
        Assert.Contains("broken on purpose", (await Assert.ThrowsAsync<IOException>(() => process.Completion.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_reads_standard_input_finds_it_empty()
    {
        await using var pool = await Start(1);
        Assert.Null(await pool.RunAsync(static () => Console.In.ReadLine()).Within());
    }

    static Callback<int, int>? Late { get; set; }

    static IProgress<int>? LateReport { get; set; }

    static async Task<int> Count<T>(IAsyncEnumerable<T> outcomes)
    {
        var count = 0;
        await foreach (var _ in outcomes)
            count++;
        return count;
    }

    sealed class Broken : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken on purpose");
    }
}
