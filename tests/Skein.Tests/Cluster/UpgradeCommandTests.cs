using System.Runtime.Versioning;
using System.Text.Json;
using Skein.Tests.Cli;
using Skein.Tests.Mobility;

namespace Skein.Tests.Cluster;

/// <summary><c>skein upgrade</c>: a new build of an application is put in the place of the old one, and back, while its processes wait at nodes that run on.</summary>
[SupportedOSPlatform("linux")]
public sealed class UpgradeCommandTests : IAsyncLifetime
{
    const string Shop = """
        public static class Flow
        {
            public static Mobile<string> WaitAtA() => Wait("a");

            public static Mobile<string> WaitAtB() => Wait("b");

            static async Mobile<string> Wait(string node)
            {
                await Here.MoveTo(node);
                return $"{await Here.Event<string>("go")} {Build()} at {Here.Node}";
            }

            public static async Mobile<string> Stuck()
            {
                await Here.MoveTo("a");
        #line 40 "Flow.cs"
                var mail = await Here.Event<string>("go");
        #if SECOND
                mail += "!";
        #endif
                return $"{mail} {Build()} at {Here.Node}";
            }

        #if SECOND
            public static async Mobile<string> Ship() { await Here.MoveTo("b"); return "anew"; }

            [Migrates("Ship", 2)]
            static async Mobile<string> ShipBefore(Mobile<string> awaited, int parcels) => $"{await awaited} {parcels} {Build()} at {Here.Node}";

            static string Build() => "second";
        #else
            public static async Mobile<string> Ship()
            {
                await Here.MoveTo("b");
                var parcels = 3;
                var mail = await Here.Event<string>("go");
                return $"{mail} {parcels} {Build()} at {Here.Node}";
            }

            static string Build() => "first";
        #endif
        }
        """;

    readonly CommandNodes _nodes = new();
    readonly CompiledBuild _first = new(Shop), _second = new(Shop, symbols: ["SECOND"]);
    ClusterNode? _here;

    string Deployed => _nodes.Folder["Flow.dll"];

    public ValueTask InitializeAsync() => _nodes.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_here is not null)
            await _here.DisposeAsync();
        await _nodes.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    void Deploy(CompiledBuild build)
    {
        foreach (var file in (string[])[build.Module, Path.ChangeExtension(build.Module, ".pdb")])
            File.Copy(file, _nodes.Folder[Path.GetFileName(file)], overwrite: true);
    }

    Task<Ended> Upgrade(params string[] words) => _nodes.RunAsync(["upgrade", .. words]);

    static MobileProcess<string> Run(MobileNode node, LoadedBuild build, string function) => node.Start(CompiledBuild.Run(build, function));

    async Task WaitsAt(MobileProcess process, string node) => await Limits.Until(
        () => process.Node == node && _nodes.AskAsync(node, "inspect", process.Id).GetAwaiter().GetResult().Data is [var found] && found.GetProperty("waitsFor").GetString()!.StartsWith("the event go", StringComparison.Ordinal),
        () => $"{process.Id} at {node}: {process.Completion.Exception}", 30);

    [Fact]
    public async Task A_redeploy_with_processes_that_wait_forwards_and_back()
    {
        _here = await ClusterNode.StartAsync("here", new() { Folder = _nodes.Nodes }).Within();
        using var build = _here.Node.Load(_first.Module);
        MobileProcess<string>[] processes = [.. new[] { "WaitAtA", "WaitAtB", "Stuck", "Ship" }.Select(function => Run(_here.Node, build, function))];
        var (atA, atB, stuck, ship) = (processes[0], processes[1], processes[2], processes[3]);
        await Task.WhenAll(WaitsAt(atA, "a"), WaitsAt(atB, "b"), WaitsAt(stuck, "a"), WaitsAt(ship, "b"));

        // It is said beforehand how it will come out; nothing changes.
        Deploy(_second);
        var dryRun = await Upgrade(Deployed, "--dry-run");
        Assert.Equal((1, ""), (dryRun.Code, dryRun.Error));
        Assert.Equal(["moves", "moves", "moves", "stays"], dryRun.Lines.Select(static line => line.Split(' ')[0]).Order());

        // What is in the middle of a function that has changed stays, unless another goes on with it.
        var forwards = await Upgrade(Deployed);
        Assert.Equal((1, ""), (forwards.Code, forwards.Error));
        var why = "It cannot go on in the other build: Flow.Stuck() is on the stack of the process, and has changed; it is at await 2 of Flow.cs:40.";
        Assert.Equal(
            ((string[])[$"moved   {atA.Id}  Flow.Wait at a", $"moved   {atB.Id}  Flow.Wait at b", $"moved   {ship.Id}  Flow.ShipBefore at b", $"stayed  {stuck.Id}  Flow.Stuck at a: {why}"]).Order(),
            forwards.Lines.Order());
        atA.Raise("go", "go");
        ship.Raise("go", "go");
        Assert.Equal("go second at a", await atA.Completion.Within(30));
        Assert.Equal("go 3 second at b", await ship.Completion.Within(30));

        using var json = JsonDocument.Parse((await Upgrade(Deployed, "--json", "-n", "a")).Output);
        var kept = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal(
            (stuck.Id, "a", false, why, "Flow.Stuck()", "Flow.cs", 40),
            (kept.GetProperty("id").GetString(), kept.GetProperty("node").GetString(), kept.GetProperty("moved").GetBoolean(), kept.GetProperty("why").GetString(), kept.GetProperty("function").GetString(), kept.GetProperty("file").GetString(), kept.GetProperty("line").GetInt32()));

        // Back to the first: one that is there already is not concerned.
        Deploy(_first);
        var back = await Upgrade(Deployed);
        Assert.Equal((0, $"moved   {atB.Id}  Flow.Wait at b\n", ""), (back.Code, back.Output, back.Error));
        atB.Raise("go", "go");
        stuck.Raise("go", "go");
        Assert.Equal("go first at b", await atB.Completion.Within(30));
        Assert.Equal("go first at a", await stuck.Completion.Within(30));

        // What cannot be.
        Assert.Equal((69, true), await Upgrade(_nodes.Folder.Write("no.dll", "text"), "-n", "a") is var wrong ? (wrong.Code, wrong.Error.Contains("cannot take", StringComparison.Ordinal)) : default);
        Assert.Equal(66, (await Upgrade("nowhere.dll")).Code);
        var nobody = await Upgrade(Deployed);
        Assert.Equal((0, ""), (nobody.Code, nobody.Output));
        Assert.Contains("no mobile process uses another build of Flow.dll", nobody.Error);
    }
}
