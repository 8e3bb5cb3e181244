using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Skein.Tests.Mobility;

/// <summary>A process brings its code along, to nodes that take it.</summary>
public sealed class CodeTravelTests : IDisposable
{
    const string Tour = """
        public sealed record Order(string Id, int Amount) { public List<Order> Parts { get; } = new(); }

        public struct Point { public int X; public bool Seen; public double Y; }

        public static class Flow
        {
            public static async Mobile<string> Run()
            {
                var order = new Order("o1", 10);
                order.Parts.Add(order with { Amount = 7 });
                var points = new[] { new Point { X = 1, Seen = true, Y = 0.5 } };
                var more = 5;
                Func<int, int> add = x => x + more;
                await Here.MoveTo("b");
                points[0].X++;
                var left = await Count(order);
                await Here.MoveTo("c");
                more++;
                return $"{Here.Node} {add(left)} {points[0].X} {points[0].Seen} {points[0].Y} {Here.Hops}";
            }

            static async Mobile<int> Count(Order order)
            {
                var sum = 0;
                foreach (var part in order.Parts.Select(part => part.Amount))
                {
                    await Here.Event<bool>("go");
                    sum += part;
                }
                return sum;
            }
        }
        """;

    readonly CompiledBuild _tour = new(Tour);

    public void Dispose() => _tour.Dispose();

    static MobileNode[] Nodes(CodePolicy code)
    {
        MobileNode[] nodes = [new("a"), new("b") { Code = code }, new("c") { Code = code }];
        nodes[0].Connect(nodes[1]);
        nodes[0].Connect(nodes[2]);
        nodes[1].Connect(nodes[2]);
        return nodes;
    }

    /// <summary>Not inlined: a local would keep the build.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Start(MobileNode node, string path, string method = "Run")
    {
        using var build = node.Load(path);
        return node.Start(CompiledBuild.Run(build, method));
    }

    [Fact]
    public async Task What_may_be_restarted_has_its_build_as_long_as_it_runs()
    {
        using var file = new CompiledBuild("""
            public static class Flow
            {
                public static async Mobile Run() { await Here.Event<bool>("go"); await Here.MoveTo("b"); }
            }
            """);
        var nodes = Nodes(CodePolicy.AnyPeer);
        var process = StartRestartable(nodes[0], file.Module);
        Assert.Equal(1, nodes[0].Modules.Count);
        process.Raise("go", true);
        await process.Completion.Within();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess StartRestartable(MobileNode node, string path)
    {
        using var build = node.Load(path);
        return node.Start(build.Assembly.GetType("Flow")!.GetMethod("Run")!.CreateDelegate<Func<Mobile>>(), restartable: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_goes_on_at_nodes_that_lack_its_code_and_takes_it_from_the_last(bool optimize)
    {
        using var tour = new CompiledBuild(Tour, optimize: optimize);
        var nodes = Nodes(CodePolicy.AnyPeer);
        var process = Start(nodes[0], tour.Module);
        await Limits.Until(() => process.Node == "b", "the first move");
        await process.CaptureAsync().Within();
        Assert.Equal([0, 1, 0], nodes.Select(node => node.Modules.Count));
        process.Raise("go", true);
        Assert.Equal("c 13 2 True 0.5 2", await process.Completion.Within());
        await Limits.Until(() => nodes.All(node => node.Modules.Count == 0), "the builds to have no user");
    }

    [Fact]
    public void Bytes_that_were_announced_are_there_however_late_they_are_asked_for()
    {
        var node = new MobileNode("a");
        var hash = Announce(node);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.Equal(hash, node.FileOf(hash)?.Hash);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static string Announce(MobileNode node) => node.FileOf(typeof(Skein.Tests.Child.NodeCase).Assembly).Hash;
    }

    [Fact]
    public async Task Code_that_a_node_has_kept_is_there_for_images_when_it_is_started_again()
    {
        using var folder = new Cli.ScratchFolder();
        MobileNode Again(CodePolicy code) => new("b") { Code = code, Kept = new(folder.Path) };
        var (a, b) = (new MobileNode("a"), Again(CodePolicy.AnyPeer));
        a.Connect(b);
        var process = Start(a, _tour.Module);
        await Limits.Until(() => process.Node == "b", "the first move");
        var image = await process.CaptureAsync().Within();

        var again = Again(CodePolicy.AnyPeer);
        again.Restore<string>(image);
        Assert.Equal("Flow.Run", Assert.Single(again.List()).Name);
        Assert.Contains("does not take the code", Assert.Throws<CannotMoveException>(() => Again(CodePolicy.Listed()).Restore<string>(image)).Message);
        Assert.Throws<ModuleVersionException>(() => new MobileNode("b").Restore<string>(image));
        foreach (var module in Directory.GetFiles(folder.Path, "*.dll"))
            File.WriteAllBytes(module, [.. File.ReadAllBytes(module), 0]);
        Assert.Throws<ModuleVersionException>(() => Again(CodePolicy.AnyPeer).Restore<string>(image));
        process.Kill();
    }

    [Fact]
    public void Code_of_the_own_user_is_not_that_of_other_machines()
    {
        Assert.Null(CodePolicy.OwnUser.WhyNot("00", null, isOwn: true));
        Assert.Contains("another machine", CodePolicy.OwnUser.WhyNot("00", null, isOwn: false));
    }

    [Fact]
    public async Task Code_is_unloaded_when_its_last_process_has_gone()
    {
        var nodes = Nodes(CodePolicy.AnyPeer);
        var contexts = await Wander(nodes, _tour.Module);
        await Limits.Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return contexts.All(context => !context.IsAlive);
        }, () => $"the modules to be unloaded: {string.Join(' ', contexts.Select(context => context.IsAlive))}", 20);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static async Task<WeakReference[]> Wander(MobileNode[] nodes, string path)
    {
        var contexts = new List<WeakReference>();
        var process = Start(nodes[0], path);
        contexts.Add(ContextAt(nodes[0]));
        await Limits.Until(() => process.Node == "b", "the first move");
        contexts.Add(ContextAt(nodes[1]));
        process.Raise("go", true);
        await process.Completion.Within();
        return [.. contexts];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference ContextAt(MobileNode node)
    {
        ModuleContext? found = null;
        var space = node.Modules.Enter(each => (found = each.Context) is not null);
        space?.Leave();
        return new(found);
    }

    [Fact]
    public async Task Who_does_not_take_code_says_whose_hash_it_would_need_and_the_process_goes_on()
    {
        const string Flow = """
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    try
                    {
                        await Here.MoveTo("b");
                        return "moved";
                    }
                    catch (CannotMoveException e)
                    {
                        return $"{Here.Node}: {e.Message}";
                    }
                }
            }
            """;
        using var build = new CompiledBuild(Flow);
        var refused = await Start(Nodes(CodePolicy.Listed())[0], build.Module).Completion.Within();
        Assert.StartsWith("a: ", refused, StringComparison.Ordinal);
        Assert.Contains($"does not take the code of Flow from node a: its SHA-256 {build.Hash} is not on the list", refused);

        Assert.Equal("moved", await Start(Nodes(CodePolicy.Listed(new string('A', 64), build.Hash.ToLowerInvariant()))[0], build.Module).Completion.Within());

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Contains("it is not signed", await Start(Nodes(CodePolicy.SignedBy(key))[0], build.Module).Completion.Within());
        CodePolicy.Sign(build.Module, other);
        Assert.Contains("its signature is not by the key", await Start(Nodes(CodePolicy.SignedBy(key))[0], build.Module).Completion.Within());
        CodePolicy.Sign(build.Module, key);
        Assert.Equal("moved", await Start(Nodes(CodePolicy.SignedBy(key))[0], build.Module).Completion.Within());
    }

    [Fact]
    public async Task Bytes_that_are_not_those_that_were_announced_are_refused()
    {
        var nodes = Nodes(CodePolicy.AnyPeer);
        using var build = nodes[0].Load(_tour.Module);
        var run = CompiledBuild.Run(build);
        var file = nodes[0].Modules.Find(each => each.Name == "Flow")!;
        file.Bytes[^1] ^= 1;   // after its hash was taken
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => nodes[0].Start(run).Completion.Within());
        Assert.Contains($"is not Flow with SHA-256 {file.Hash}", refused.Message);
        Assert.Equal(0, nodes[1].Modules.Count);
    }

    [Fact]
    public async Task Two_builds_live_side_by_side_at_one_node()
    {
        const string Flow = """
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    await Here.MoveTo("b");
                    await Here.Event<bool>("go");
            #if NEW
                    return "new";
            #else
                    return "old";
            #endif
                }
            }
            """;
        using var old = new CompiledBuild(Flow);
        using var @new = new CompiledBuild(Flow, symbols: ["NEW"]);
        var nodes = Nodes(CodePolicy.AnyPeer);
        MobileProcess<string>[] processes = [Start(nodes[0], old.Module), Start(nodes[0], @new.Module), Start(nodes[0], old.Module)];
        await Limits.Until(() => nodes[1].Count == 3, "the moves");
        await Task.WhenAll(processes.Select(process => process.CaptureAsync())).Within();
        Assert.Equal(2, nodes[1].Modules.Count);
        foreach (var process in processes)
            process.Raise("go", true);
        Assert.Equal(["old", "new", "old"], await Task.WhenAll(processes.Select(process => process.Completion)).Within());
    }

    [Fact]
    public async Task A_failure_shows_the_lines_of_code_that_has_travelled()
    {
        using var build = new CompiledBuild("""
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    await Here.MoveTo("b");
                    throw new InvalidOperationException("there");
                }
            }
            """);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => Start(Nodes(CodePolicy.AnyPeer)[0], build.Module).Completion.Within());
        Assert.Contains("/source/Flow.cs:line 7", failure.StackTrace);
    }

    /// <summary>Loaded for good: a contract that this program and what comes to it share.</summary>
    [Fact]
    [SuppressMessage("Reliability", "CA2000", Justification = "The file is mapped as long as the program lives; its folder is temporary.")]
    public async Task What_the_program_has_itself_is_shared_with_code_that_comes()
    {
        using var contract = new CompiledBuild("public interface IGreeter { string Greet(string name); } public class Polite : IGreeter { public string Greet(string name) => $\"Good day, {name}\"; }", $"Contract{Environment.ProcessId}");
        using var build = new CompiledBuild("""
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    await Here.MoveTo("b");
                    return Here.Resource<IGreeter>("greeter").Greet(Here.Node!);
                }
            }
            """, beside: contract);
        var shared = System.Runtime.Loader.AssemblyLoadContext.Default.LoadFromAssemblyPath(contract.Module);
        var nodes = Nodes(CodePolicy.Listed(build.Hash));   // the contract need not come
        nodes[1].Provide("greeter", Activator.CreateInstance(shared.GetType("Polite")!)!);
        Assert.Equal("Good day, b", await Start(nodes[0], build.Module).Completion.Within());
    }
}
