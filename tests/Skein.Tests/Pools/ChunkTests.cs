using System.Runtime.Versioning;
using Skein.Tests.Cli;

namespace Skein.Tests.Pools;

// Inputs that are sent together stay what they are: each fails for itself.
[SupportedOSPlatform("linux")]
public sealed class ChunkTests
{
    static readonly ManualResetEventSlim Released = new();
    static Thread? _first;

    static Task<WorkerPool> Start(Place place, PoolOptions options) =>
        WorkerPool.StartAsync(place, place == Place.Thread ? options : options with { OnError = static _ => { } }).Within(20);

    public static TheoryData<string> Places => ["thread", "process", "portable"];

    static Place At(string name) => name switch { "thread" => Place.Thread, "process" => Place.OsProcess, _ => new PortableProcessPlace() };

    static async Task<(List<int> Succeeded, List<(int Input, Exception? Error)> Failed)> Outcomes(IAsyncEnumerable<Outcome<int, int>> mapping)
    {
        var (succeeded, failed) = (new List<int>(), new List<(int, Exception?)>());
        await foreach (var outcome in mapping)
        {
            if (outcome.Succeeded)
                succeeded.Add(outcome.Value);
            else
                failed.Add((outcome.Input, outcome.Error));
        }

        return (succeeded, failed);
    }

    static async Task OnlyTheSecondTimesOut(IAsyncEnumerable<Outcome<int, int>> mapping)
    {
        var (succeeded, failed) = await Task.Run(() => Outcomes(mapping)).Within(20);
        Assert.Equal([0, 2, 3, 4], succeeded);
        var (input, error) = Assert.Single(failed);
        Assert.Equal(1, input);
        Assert.IsType<TimeoutException>(error);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task An_input_that_is_asked_to_stop_is_the_only_one_of_its_chunk_that_is(string place)
    {
        await using var pool = await Start(At(place), new() { Workers = 1, TaskTimeout = Limits.Seconds(0.5), Grace = TimeSpan.FromMinutes(1) });
        await OnlyTheSecondTimesOut(pool.MapAsync(Enumerable.Range(0, 5), static async n =>
        {
            await Task.Delay(n == 1 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(50), Here.Stopping);
            return n;
        }, new() { ChunkSize = 5 }));
        Assert.Equal(1, pool.StartedWorkers);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("portable")]
    public async Task An_input_that_has_to_be_killed_costs_the_others_of_its_chunk_a_second_run_and_no_more(string place)
    {
        await using var pool = await Start(At(place), new() { Workers = 2, TaskTimeout = Limits.Seconds(0.5), Grace = TimeSpan.FromMilliseconds(100) });
        await OnlyTheSecondTimesOut(pool.MapAsync(Enumerable.Range(0, 5), static async n =>
        {
            await Task.Delay(n == 1 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(200));
            return n;
        }, new() { ChunkSize = 5 }));
        Assert.Equal(3, pool.StartedWorkers);
    }

    [Fact]
    public async Task A_task_that_is_tried_again_after_its_time_out_has_all_of_its_time_again()
    {
        using var folder = new ScratchFolder();
        await using var pool = await Start(Place.OsProcess, new() { Workers = 2, TaskTimeout = Limits.Seconds(0.5), Grace = TimeSpan.FromMilliseconds(500), Retries = 1 });
        Assert.Equal(7, await pool.RunAsync(static async file =>
        {
            var isFirst = !File.Exists(file);
            await File.WriteAllTextAsync(file, "");
            await Task.Delay(isFirst ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(200));
            return 7;
        }, folder["tried"]).Within(20));
    }

    [Fact]
    public async Task A_thread_that_was_given_up_changes_nothing_when_it_ends_after_all()
    {
        await using var pool = await Start(Place.Thread, new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(300), Grace = TimeSpan.FromMilliseconds(20) });
        var (succeeded, failed) = await Task.Run(() => Outcomes(pool.MapAsync([0, 1, 2], static n =>
        {
            if (n == 0 && _first is null)
            {
                _first = Thread.CurrentThread;
            }
            else if (n == 1)
            {
                Released.Wait(Limits.Seconds(20));
            }
            else if (n == 0)
            {
                Released.Set();
                Assert.True(_first!.Join(Limits.Seconds(20)));   // it has all of its results, while this run is under way
            }

            return n * 10;
        }, new() { ChunkSize = 3 }))).Within(20);
        Assert.Equal([0, 20], succeeded);
        Assert.Equal(1, Assert.Single(failed).Input);
    }

    [Fact]
    public async Task An_input_that_cannot_travel_is_refused_alone()
    {
        await using var pool = await Start(Place.OsProcess, new() { Workers = 1 });
        var read = new List<string>();
        await foreach (var outcome in pool.MapAsync([1, new MemoryStream(), 3], static (object input) => $"{input}", new() { ChunkSize = 3 }))
            read.Add(outcome.Succeeded ? outcome.Value : outcome.Error!.GetType().Name);
        Assert.Equal(["1", nameof(CannotTravelException), "3"], read);
    }

    [Fact]
    public async Task A_mapping_uses_all_workers_that_there_are_now()
    {
        await using var pool = await Start(Place.OsProcess, new() { Workers = 1 });
        pool.Resize(4);
        var here = 0;
        var all = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var meet = Callback.To((int input) =>
        {
            if (Interlocked.Increment(ref here) == 4)
                all.SetResult(4);
            return all.Task;
        });
        var met = new List<int>();
        await Task.Run(async () =>
        {
            await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 4), async n => await meet.InvokeAsync(n), new() { ChunkSize = 1 }))
                met.Add(outcome.Value);
        }).Within(20);
        Assert.Equal([4, 4, 4, 4], met);
    }
}
