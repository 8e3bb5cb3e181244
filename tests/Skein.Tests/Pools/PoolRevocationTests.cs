namespace Skein.Tests.Pools;

public sealed class PoolRevocationTests
{
    [Fact]
    public async Task A_task_that_was_sent_ahead_and_is_cancelled_never_runs()
    {
        var trace = Path.GetTempFileName();
        try
        {
            await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1 }).Within(20);
            await Task.WhenAll(Enumerable.Range(0, 200).Select(n => pool.RunAsync(static number => number, n))).Within();   // short tasks: the next are sent ahead
            using var source = new CancellationTokenSource();
            var open = new TaskCompletionSource<int>();
            var slow = pool.RunAsync(static wait => wait.InvokeAsync(0), Callback.To((int _) => open.Task));
            var ahead = Enumerable.Range(0, 20).Select(_ => pool.RunAsync(static file => File.AppendAllText(file, "x"), trace, source.Token)).ToArray();
            await source.CancelAsync();
            foreach (var task in ahead)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within());
            Assert.False(slow.IsCompleted);
            open.SetResult(0);
            await slow.Within();
            Assert.Equal(7, await pool.RunAsync(static () => 7).Within());
            Assert.Equal("", await File.ReadAllTextAsync(trace));
            Assert.Equal(1, pool.StartedWorkers);
        }
        finally
        {
            File.Delete(trace);
        }
    }
}
