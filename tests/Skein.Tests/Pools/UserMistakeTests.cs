namespace Skein.Tests.Pools;

// What a user does who has not read the manual, and what must not happen then.
public class UserMistakeTests
{
    static Task<WorkerPool> Start(int workers = 2) => WorkerPool.StartAsync(Place.OsProcess, new() { Workers = workers }).Within(20);

    [Fact]
    public async Task A_mapping_over_a_pool_that_was_disposed_of_ends_with_an_error()
    {
        var pool = await Start();
        await pool.DisposeAsync().AsTask().Within();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Count(pool.MapAsync(Enumerable.Range(0, 3), static n => n)).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Count(pool.MapUnorderedAsync(Enumerable.Range(0, 3), static n => n)).Within());
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
