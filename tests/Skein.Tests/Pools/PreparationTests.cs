namespace Skein.Tests.Pools;

public class PreparationTests
{
    [Fact]
    public async Task The_time_out_of_tasks_does_not_hold_for_the_initializer()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new()
        {
            Workers = 1,
            TaskTimeout = TimeSpan.FromMilliseconds(50),
            Grace = TimeSpan.FromMilliseconds(10),
            Initializer = static () => Conformance.Functions.Spin(0.5),
        }).Within(20);
        Assert.Equal(1, pool.StartedWorkers);
    }
}
