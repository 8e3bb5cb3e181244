namespace Skein.Bench.Servers;

/// <summary>A contender that is a server: it is started once, and each round asks of it what the experiment asks.</summary>
sealed class HttpServer(string name, string settings, Func<Task<ServerProgram>> start, Func<ServerProgram, Task<double>> measure) : Contender(name, settings)
{
    ServerProgram? _server;

    public override async Task StartAsync() => _server = await start();

    public override Task<double> MeasureAsync() => measure(_server!);

    public override ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
