using System.Runtime.Versioning;

namespace Skein.Tests.Pools;

[SupportedOSPlatform("linux")]
public sealed class PoolStressTests
{
    [Fact]
    public async Task Eight_workers_serve_mixed_tasks_while_some_of_them_die()
    {
        await using var pool = await WorkerPool.StartAsync(
            Place.OsProcess, new() { Workers = 8, TaskTimeout = TimeSpan.FromSeconds(5), RecycleAfter = 200, RestartIntensity = int.MaxValue, OnError = static _ => { } }).Within(60);
        var over = TimeProvider.System.GetTimestamp();
        var (right, lost, threw) = (0, 0, 0);
        await Parallel.ForEachAsync(Enumerable.Range(0, 32), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (caller, cancellation) =>
        {
            var random = new Random(caller);
            while (TimeProvider.System.GetElapsedTime(over) < TimeSpan.FromSeconds(Limits.Long ? 60 : 4))
            {
                var number = random.Next(1000);
                switch (random.Next(100))
                {
                    case 0:
                        await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(static () => { Functions.EndSelf(); return 1; }, cancellation).Within(60));
                        Interlocked.Increment(ref lost);
                        break;
                    case < 10:
                        Assert.Equal($"no {number}", (await Assert.ThrowsAsync<FormatException>(() => pool.RunAsync(static n => n < 0 ? 1 : throw new FormatException($"no {n}"), number, cancellation).Within(60))).Message);
                        Interlocked.Increment(ref threw);
                        break;
                    case < 20:
                        Assert.Equal(300_000 + number, await pool.RunAsync(static bytes => bytes.Length, new byte[300_000 + number], cancellation).Within(60));
                        break;
                    case < 30:
                        Assert.Equal(300_000 + number, (await pool.RunAsync(static n => new byte[300_000 + n], number, cancellation).Within(60)).Length);
                        break;
                    case < 40:
                        Assert.Equal(number, await pool.RunAsync(static async n => { await Task.Delay(TimeSpan.FromMilliseconds(3)); return n; }, number, cancellation).Within(60));
                        break;
                    default:
                        Assert.Equal(number * 2, await pool.RunAsync(static n => n * 2, number, cancellation).Within(60));
                        Interlocked.Increment(ref right);
                        break;
                }
            }
        });
        Assert.True(right > 100 && threw > 10, $"{right} right, {threw} threw, {lost} lost");
        await Limits.Until(() => pool.WorkerCount == 8, () => $"eight workers; there are {pool.WorkerCount}, started {pool.StartedWorkers}");
    }

    [Fact]
    public async Task Pools_that_are_started_and_disposed_one_after_another_leave_nothing()
    {
        // In a program of its own: other tests of this one come and go beside it.
        var (text, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["pools-in-a-row", Limits.Long ? "200" : "30"]), seconds: 60);
        Assert.Equal((0, "nothing is left\n"), (status.Code, text));
    }
}
