using System.Diagnostics;
using System.Net;

namespace Skein.Bench.Mobility;

/// <summary>A node that is another operating-system process of this program, until its standard input ends.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
sealed class NodeProgram : IAsyncDisposable
{
    public const string Argument = "--mobile-node";
    public const string Name = "there";

    readonly Process _process;

    NodeProgram(Process process) => _process = process;

    /// <summary>What it said when it was ready.</summary>
    public int Port { get; private init; }

    /// <param name="words">The folder of its nodes; then that of its identity, if it is to be reached over TLS.</param>
    public static async Task<int> RunAsync(string[] words)
    {
        using var identity = words is [_, var folder] ? ClusterIdentity.Open(folder) : null;
        await using var cluster = await ClusterNode.StartAsync(Name, new()
        {
            Folder = words[0],
            Code = CodePolicy.AnyPeer,
            Identity = identity,
            Listen = identity is null ? null : new(IPAddress.Loopback, 0),
        });
        await Console.Out.WriteLineAsync($"ready {cluster.Listening?.Port ?? 0}");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Starts this program once more, and returns when it says that it is ready.</summary>
    public static async Task<NodeProgram> StartAsync(params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Skein.Bench"), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var line = await process.StandardOutput.ReadLineAsync().Within();
        return line?.Split(' ') is ["ready", var port] ? new(process) { Port = int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) }
            : throw new InvalidOperationException($"{arguments[0]} ended without being ready: its standard error says why.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
