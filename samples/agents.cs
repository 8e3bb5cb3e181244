// Mobile agents: three nodes, each an operating-system process with a ledger of its own, which no other can read. One agent visits
// them one after the other and adds up what it finds; then three set out at the same time; then one writes down where it has been.
//
//   dotnet run samples/agents.cs
//
// What to see: the agent is an ordinary loop. It reads each ledger in that node's process (the numbers differ), and brings home only a sum.

#:project ../src/Skein.Cluster
using System.Runtime.Versioning;
using Skein;

[assembly: SupportedOSPlatform("linux")]

string[] nodes = ["a", "b", "c"];
var folder = Directory.CreateTempSubdirectory("skein-agents-").FullName;   // where these nodes find each other, and no others
var processes = await Task.WhenAll(nodes.Select(node => StartNode(node, folder)));
await using (var home = await ClusterNode.StartAsync("home", new() { Folder = folder }))
{
    var one = home.Node.Start(() => Survey(nodes));
    Console.WriteLine($"one agent, node after node:    {await one.Completion}");

    var several = nodes.Select(node => home.Node.Start(() => Survey([node]))).ToArray();
    Console.WriteLine($"three agents at the same time: {string.Join(" + ", await Task.WhenAll(several.Select(agent => agent.Completion)))}");

    var diary = home.Node.Start(() => Diary(nodes));
    foreach (var line in await diary.Completion)
        Console.WriteLine(line);
}

foreach (var process in processes)
    await process.DisposeAsync();
Directory.Delete(folder, recursive: true);

static async Mobile<long> Survey(string[] nodes)
{
    long total = 0;
    foreach (var node in nodes)
    {
        await Here.MoveTo(node);                                // program counter and locals travel
        total += Here.Resource<Ledger>("ledger").Total();       // each node's own
    }
    return total;
}

// The same way, with what it met on it: where it was, in which operating-system process.
static async Mobile<List<string>> Diary(string[] nodes)
{
    var lines = new List<string>();
    foreach (var node in nodes)
    {
        await Here.MoveTo(node);
        var ledger = Here.Resource<Ledger>("ledger");
        lines.Add($"hop {Here.Hops}: node {Here.Node}, process {Environment.ProcessId}, {ledger.Entries.Length} entries, {ledger.Total()}");
    }
    return lines;
}

// A node: this program once more, until it is asked to end.
static async Task<Process<Nothing>> StartNode(string name, string folder)
{
    var ready = new TaskCompletionSource();
    var process = await Place.OsProcess.StartAsync(RunNode, new Identity(name, folder), Callback.To((string _) => ready.TrySetResult()));
    await await Task.WhenAny(ready.Task, process.Completion);
    return process;
}

static async Task RunNode(Identity node, Callback<string, bool> ready)
{
    await using var cluster = await ClusterNode.StartAsync(node.Name, new() { Folder = node.Folder });
    cluster.Node.Provide("ledger", new Ledger([.. Enumerable.Range(1, 10).Select(entry => (long)entry * node.Name[0])]));
    await ready.InvokeAsync(node.Name);
    await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

sealed record Identity(string Name, string Folder);

// What belongs to a node. It never travels.
[StaysHere("a ledger belongs to its node")]
sealed class Ledger(long[] entries)
{
    public long[] Entries => entries;

    public long Total() => entries.Sum();
}
