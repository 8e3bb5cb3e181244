using System.Diagnostics;
using System.Text.Json;

namespace Skein.Bench;

/// <summary>
/// A peer in a program of its own that lives through all rounds. It writes a line of JSON when it is ready ({"version": …}) and one
/// for each line it reads ({"value": …} or {"never": why}); it ends with its standard input.
/// </summary>
sealed class PeerProgram(string name, string settings, string program, params string[] arguments) : Contender(name, settings)
{
    Process? _process;

    /// <summary>A pool of Python's standard library; see peers/python/peer.py.</summary>
    public static PeerProgram Python(string work, string kind, string start, int count, string settings) =>
        new(kind == "ppe" ? $"PPE {start}" : $"Pool {start}",
            $"{(kind == "ppe" ? "ProcessPoolExecutor" : "multiprocessing.Pool")}, {start}, {settings}",
            Peers.Python, Peers.PythonScript, work, kind, start, $"{count}");

    /// <summary>Piscina; see peers/node/peer.mjs.</summary>
    public static PeerProgram Node(string work, string how, int count, string settings) =>
        new(how == "transfer" ? "piscina transfer" : "piscina", settings, Peers.Node, Peers.NodeScript, work, how, $"{count}");

    /// <summary>DBOS on PostgreSQL; see peers/node/dbos.mjs.</summary>
    public static PeerProgram Dbos(string folder, int workflows, TimeSpan time) =>
        new("DBOS", $"{workflows} workflows of steps, on PostgreSQL as initdb sets it up", Peers.Node, Peers.DbosScript, folder, $"{workflows}",
            time.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public override async Task StartAsync()
    {
        Peers.Require(program, arguments[0]);
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Version = (await ReadAsync()).GetProperty("version").GetString();
    }

    public override async Task<double> MeasureAsync()
    {
        await _process!.StandardInput.WriteLineAsync("go");
        await _process.StandardInput.FlushAsync();
        var answer = await ReadAsync();
        if (answer.TryGetProperty("value", out var value))
            return value.GetDouble();
        Remark = $"never: {answer.GetProperty("never").GetString()}";
        return double.PositiveInfinity;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    async Task<JsonElement> ReadAsync()
    {
        var line = await _process!.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"{Name} ended without an answer: its standard error says why.");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }
}
