namespace Skein.Bench;

/// <summary>A pool of Skein's that lives through all rounds.</summary>
sealed class PoolContender(string name, string settings, PoolOptions options, Func<WorkerPool, Task<double>> measure) : Contender(name, settings)
{
    /// <summary>As many workers as every peer has.</summary>
    public const int Workers = 2;

    WorkerPool? _pool;

    /// <summary>Two workers in operating-system processes, and everything else by default.</summary>
    public PoolContender(string name, string settings, Func<WorkerPool, Task<double>> measure)
        : this(name, $"{settings}; Place.OsProcess, 2 workers, default options", new() { Workers = Workers }, measure) { }

    public override async Task StartAsync() => _pool = await WorkerPool.StartAsync(Place.OsProcess, options);

    public override Task<double> MeasureAsync() => measure(_pool!);

    public override ValueTask DisposeAsync() => _pool?.DisposeAsync() ?? default;
}
