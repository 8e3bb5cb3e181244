using Skein.Tests.Child;
using Skein.Tests.Cli;
using Skein.Tests.Mobility;
using Skein.Tests.Structure;

namespace Skein.Tests.Cluster;

/// <summary>Nodes differ: in how their code was compiled, in what is around them. Processes go between them, or are refused with what differs.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class DifferentNodesTests : IAsyncDisposable
{
    readonly ScratchFolder _folder = new();
    readonly List<IAsyncDisposable> _started = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        _folder.Dispose();
    }

    const string Flow = """
        public static class Flow
        {
            public static async Mobile<string> Run()
            {
                var refused = "";
                var seen = new List<string> { Here.Node! };
                try
                {
                    await Here.MoveTo("b");
                }
                catch (CannotMoveException e)
                {
                    refused = e.Message;
                }
                seen.Add(Here.Node!);
                await Here.Event<bool>("go");
                return string.Join(' ', seen) + refused;
            }
        }
        """;

    [Fact]
    public async Task A_Release_build_goes_on_beside_the_Debug_build_of_a_node_if_that_takes_code_and_never_in_it()
    {
        using var release = new CompiledBuild(Flow, "Differs");
        using var debug = new CompiledBuild(Flow, "Differs", optimize: false);
        foreach (var (policy, expected) in new[] { (CodePolicy.AnyPeer, "a b"), (CodePolicy.Listed(debug.Hash), $"a a.*Differs.*{release.Hash} is not on the list") })
        {
            var (a, b) = (new MobileNode("a"), new MobileNode("b") { Code = policy });
            a.Connect(b);
            using var there = b.Load(debug.Module);
            using var here = a.Load(release.Module);
            using var other = a.Load(debug.Module);
            var process = a.Start(CompiledBuild.Run(here));
            await Limits.Until(() => b.Count == 1 || expected != "a b", "the move");
            foreach (var upgraded in await b.UpgradeAsync(there).Within())
                Assert.Contains("Flow.Run() is on the stack of the process, and has", upgraded.WhyNot, StringComparison.Ordinal);
            process.Raise("go", true);
            Assert.Matches($"^{expected}", await process.Completion.Within());
        }
    }

    [Fact]
    public async Task Processes_go_between_a_Skein_that_is_compiled_ahead_and_one_that_is_not()
    {
        var plain = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../obj/Skein/release/Skein.dll"));
        var ahead = Path.Combine(Path.GetDirectoryName(NodeProcess.Program)!, "Skein.dll");
        Assert.SkipUnless(AppContext.BaseDirectory.Contains("/release/", StringComparison.Ordinal) && File.Exists(plain), "only a Release build is compiled ahead");
        Assert.True(new FileInfo(ahead).Length > 1.5 * new FileInfo(plain).Length, "it has native code");
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(ahead)!))
            File.Copy(file, _folder[Path.GetFileName(file)]);
        File.Copy(plain, _folder["Skein.dll"], overwrite: true);
        await TourAsync(program: _folder[Path.GetFileName(NodeProcess.Program)]);
    }

    [Fact]
    public async Task Processes_go_between_nodes_that_compile_differently_when_they_run()
    {
        Assert.SkipUnless(Limits.Long, "the framework is compiled anew: ./check --long does it");
        await TourAsync(through: "env DOTNET_ReadyToRun=0 DOTNET_TieredCompilation=0 DOTNET_gcServer=1");
    }

    [Fact]
    public async Task Processes_go_between_this_userland_and_another_one()
    {
        Assert.SkipUnless(Limits.Long, "a userland is unpacked: ./check --long does it");
        Assert.SkipUnless(UserAccount.IsRoot && File.Exists("/usr/sbin/debootstrap"), "another userland is made by debootstrap(8), as root");
        var (enter, root) = (Repository.At("tests/userland/in"), _folder["userland"]);
        using var making = SkeinCommand.StartProgram(Repository.At("tests/userland/make"), [root], null);
        var made = await making.EndAsync(120);
        Assert.SkipUnless(made.Code == 0, $"another userland could not be had: {made.Error}{made.Output}");
        Assert.NotEqual(await LibraryAsync("ldd", "--version"), await LibraryAsync(enter, root, "--", "ldd", "--version"));

        await TourAsync(through: $"{enter} {root} {Path.GetDirectoryName(NodeProcess.Program)} {_folder.Path} --");

        static async Task<string> LibraryAsync(string program, params string[] words) => (await SkeinCommand.RunProgramAsync(program, words)).Output.Split('\n')[0];
    }

    [Fact]
    public async Task A_process_is_refused_by_a_host_of_another_build_with_what_differs_and_goes_on()
    {
        var (own, others) = AppContext.BaseDirectory.Contains("/release/", StringComparison.Ordinal) ? ("release", "debug") : ("debug", "release");
        var program = NodeProcess.Program.Replace($"/{own}/", $"/{others}/", StringComparison.Ordinal);
        Assert.SkipUnless(File.Exists(program), $"the program was not built as {others} here: ./check --long does both");
        _started.Add(await NodeProcess.StartAsync("b", _folder["nodes"], program: program));
        var here = await ClusterNode.StartAsync("t", new() { Folder = _folder["nodes"] }).Within();
        _started.Add(here);
        Assert.Matches("^at t: .*node b did not take it. The sender uses .* start both from the same build", await here.Node.Start(static () => NodeCase.Try("b")).Completion.Within());
    }

    [Fact]
    public async Task A_node_without_memory_for_a_process_says_so_and_lives_on()
    {
        _started.Add(await NodeProcess.StartAsync("b", _folder["nodes"], through: "env DOTNET_GCHeapHardLimit=0x4000000"));
        var here = await ClusterNode.StartAsync("t", new() { Folder = _folder["nodes"] }).Within();
        _started.Add(here);
        foreach (var (size, references) in new[] { (70 << 20, 0), (31 << 20, 0), (0, 10 << 20) })   // for its frame, for its image beside that, for its objects
        {
            var said = await here.Node.Start(() => NodeCase.TryLarge("b", size, references)).Completion.Within();
            Assert.Matches($@"^{size + references} at t: .*node b did not take it. Node b has no memory for the process, whose image has \d[\d,]+ bytes\.$", said);
        }
        Assert.Equal("at b", await here.Node.Start(static () => NodeCase.Try("b")).Completion.Within());
    }

    /// <summary>Between this program, a node as it is, and one that differs: there and back.</summary>
    async Task TourAsync(string through = "", string? program = null)
    {
        _started.AddRange(await Task.WhenAll(NodeProcess.StartAsync("a", _folder["nodes"]), NodeProcess.StartAsync("b", _folder["nodes"], through: through, program: program)));
        var here = await ClusterNode.StartAsync("t", new() { Folder = _folder["nodes"] }).Within();
        _started.Add(here);
        string[][] ways = [["a", "b", "t"], ["b", "a", "t"], ["t", "b", "a"]];
        foreach (var way in ways)
            Assert.Equal(TourCase.Expected(3), await here.Node.Start(() => TourCase.Visit(way)).Completion.Within());
    }
}
