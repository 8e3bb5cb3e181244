using System.Diagnostics;
using System.Globalization;

namespace Skein.Tests.Cluster;

/// <summary>A node that is an operating-system process of its own.</summary>
sealed class NodeProcess : IAsyncDisposable
{
    /// <summary>As it was built together with these tests.</summary>
    public static string Program { get; } =
        Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");

    readonly Process _process;

    NodeProcess(Process process, string ready) => (_process, Ready) = (process, ready);

    public int Id => _process.Id;

    /// <summary>What it said of itself when it was.</summary>
    public string Ready { get; }

    /// <summary>Its standard input.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <param name="through">A program with its arguments that starts it; none.</param>
    /// <param name="program">Another build of it.</param>
    public static async Task<NodeProcess> StartAsync(string name, string folder, int answerLimit = 60_000, string through = "", string? program = null)
    {
        var node = await StartAsync([.. through.Split(' ', StringSplitOptions.RemoveEmptyEntries), program ?? Program, "node", name, folder, answerLimit.ToString(CultureInfo.InvariantCulture)]);
        Assert.Equal(name, node.Ready);
        return node;
    }

    /// <summary>As on a machine of its own, with a store; see <see cref="Child.FarNodeCase"/>.</summary>
    public static Task<NodeProcess> StartFarAsync(string name, string folder, string peer) => StartAsync(Program, "far-node", name, folder, peer);

    static async Task<NodeProcess> StartAsync(params string[] words)
    {
        var process = Process.Start(new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        process.StandardInput.AutoFlush = true;
        var ready = await process.StandardOutput.ReadLineAsync().Within(30);
        Assert.StartsWith("ready ", ready, StringComparison.Ordinal);
        return new(process, ready!["ready ".Length..]);
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().Within();
    }

    public void Stop() => Signal("STOP");

    public void Continue() => Signal("CONT");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
