using System.Runtime.CompilerServices;

namespace Skein.Tests.Mobility;

/// <summary>Processes that wait go on in another build of their application, if what they are in the middle of is the same there.</summary>
public class UpgradeTests
{
    // The first build; SECOND changes whatever may change; LOCALS, CODE, LAMBDA and FIELD each what may not.
    const string Shop = """
        public sealed class Order
        {
            public string Id = "o1";
        #if SECOND
            public string? Currency;
            public int Amount = 10;
            public static readonly Order None = new();
        #elif FIELD
            public int Amount = 10;
            public string Obsolete = "1";
        #else
            public int Amount = 10;
            public int Obsolete = 1;
        #endif
        }

        public static class Flow
        {
        #if SECOND
            static async Mobile<int> Before(int x) { await Here.Yield(); return x; }

            static Func<int, int> Earlier(int y) => x => x * y;

            static int Audit(Func<int> f) => f();
        #endif

            public static async Mobile<string> Run()
            {
                var order = new Order();
                var attempts = 1;
                Func<int, int> discount = x =>
        #if LAMBDA
                    x - attempts - 1;
        #else
                    x - attempts;
        #endif
                var waits = Mobile.WhenAll(Step(order, discount), Numbers(order));
                return $"{string.Join(" ", await waits)} {Price(order)} {discount(10)}";
            }

            static async Mobile<string> Step(Order order, Func<int, int> discount)
            {
                var kept = 42;
        #if LOCALS
                var more = attempts(order);
        #endif
                var mail = await Here.Event<string>("step");
        #if CODE
                kept++;
        #endif
        #if LOCALS
                kept += more;
        #endif
                return $"{mail} {kept} {order.Id} {discount(order.Amount)}";
            }

        #if LOCALS
            static int attempts(Order order) => order.Amount;
        #endif

            static async Mobile<string> Numbers(Order order)
            {
                var sum = 0;
                foreach (var number in Count(order))
                {
                    sum += number;
                    await Here.Event<bool>("number");
                }
                return $"{sum}";
            }

            static IEnumerable<int> Count(Order order)
            {
                yield return 1;
        #if ITERATOR
                yield return 5;
        #endif
                yield return 2;
            }

        #if SECOND
            static string Price(Order order) => $"{order.Amount} {order.Currency ?? "EUR"} {Audit(() => order.Currency is null ? 1 : 0)} second";
        #else
            static string Price(Order order) => $"{order.Amount} first";
        #endif
        }
        """;

    static CompiledBuild Build(string? symbol, bool optimize) => new(Shop, optimize: optimize, symbols: symbol is null ? [] : [symbol]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Start(MobileNode node, LoadedBuild build) => node.Start(CompiledBuild.Run(build));

    static async Task<string> Finish(MobileProcess<string> process)
    {
        process.Raise("step", "done");
        process.Raise("number", true);
        process.Raise("number", true);
        return await process.Completion.Within();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Processes_go_on_in_the_next_build_and_back(bool optimize)
    {
        using var firstFile = Build(null, optimize);
        using var secondFile = Build("SECOND", optimize);
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        MobileProcess<string>[] processes = [Start(node, first), Start(node, first), Start(node, first)];

        var upgraded = await node.UpgradeAsync(second).Within(30);
        Assert.Equal(processes.Select(process => new Upgraded(process.Id, null)).ToHashSet(), upgraded.ToHashSet());
        Assert.Equal("done 42 o1 9 3 10 EUR 1 second 9", await Finish(processes[0]));

        Assert.Equal(2, (await node.UpgradeAsync(first).Within(30)).Count(each => each.WhyNot is null));
        Assert.Equal("done 42 o1 9 3 10 first 9", await Finish(processes[1]));

        Assert.Null(Assert.Single(await node.UpgradeAsync(second).Within(30)).WhyNot);
        Assert.Empty(await node.UpgradeAsync(second).Within(30));   // it is there
        Assert.Equal("done 42 o1 9 3 10 EUR 1 second 9", await Finish(processes[2]));
    }

    [Theory]
    [InlineData("CODE", "Flow.Step() is on the stack of the process, and has changed")]
    [InlineData("LOCALS", "Flow.Step() is on the stack of the process, and has other locals")]
    [InlineData("ITERATOR", "Flow.Count() is on the stack of the process, and has changed")]
    [InlineData("LAMBDA", "which has changed")]
    [InlineData("FIELD", "Order.Obsolete has another type")]
    public async Task A_process_that_is_in_the_middle_of_what_has_changed_stays_in_its_build_and_says_what_it_was(string change, string why)
    {
        using var firstFile = Build(null, optimize: true);
        using var otherFile = Build(change, optimize: true);
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var other = node.Load(otherFile.Module);
        var process = Start(node, first);
        var refused = Assert.Single(await node.UpgradeAsync(other).Within(30));
        Assert.Equal(process.Id, refused.ProcessId);
        Assert.Contains(why, refused.WhyNot);
        Assert.Equal("done 42 o1 9 3 10 first 9", await Finish(process));
    }

    [Fact]
    public async Task Timers_and_mail_are_none_the_wiser_and_it_moves_on_in_its_build()
    {
        const string Flow = """
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    var texts = await Mobile.WhenAll(Sleep(), Listen());
                    return string.Join(" ", texts) + Version();
                }

                static async Mobile<string> Sleep() { await Here.Delay(TimeSpan.FromMinutes(5)); return "slept"; }

                static async Mobile<string> Listen() => await Here.Receive<string>() + await Here.Receive<string>();

            #if NEW
                static string Version() => " new";
            #else
                static string Version() => " old";
            #endif
            }
            """;
        using var oldFile = new CompiledBuild(Flow);
        using var newFile = new CompiledBuild(Flow, symbols: ["NEW"]);
        var time = new ManualTime();
        var (a, b) = (new MobileNode("a", time) { Code = CodePolicy.AnyPeer }, new MobileNode("b", time) { Code = CodePolicy.AnyPeer });
        a.Connect(b);
        using var old = a.Load(oldFile.Module);
        using var @new = a.Load(newFile.Module);
        var process = Start(a, old);
        process.Send("one ");
        await Limits.Until(() => time.Alarms == 1, "the timer");
        Assert.Null(Assert.Single(await a.UpgradeAsync(@new).Within(30)).WhyNot);
        Assert.Equal(1, time.Alarms);
        await process.MoveToAsync("b").Within();
        process.Send("two");
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("slept one two new", await process.Completion.Within());
        Assert.Equal(0, time.Alarms);
    }

    [Fact]
    public async Task What_the_process_held_open_in_its_old_build_is_closed()
    {
        const string Flow = """
            public static class Flow
            {
                public static async Mobile<string> Run()
                {
                    var log = Unattached.Of(Here.Resource<System.IO.FileStream>("log"));
                    await Here.Event<bool>("read");
                    var bytes = new byte[3];
                    log.Value.ReadExactly(bytes, 0, 3);
                    log.Value.Dispose();
                    return System.Text.Encoding.UTF8.GetString(bytes) + Version();
                }

            #if NEW
                static string Version() => " new";
            #else
                static string Version() => " old";
            #endif
            }
            """;
        using var oldFile = new CompiledBuild(Flow);
        using var newFile = new CompiledBuild(Flow, symbols: ["NEW"]);
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "abc", TestContext.Current.CancellationToken);
        var stream = File.OpenRead(path);
        var node = new MobileNode("a");
        node.Provide("log", stream);
        using var old = node.Load(oldFile.Module);
        using var @new = node.Load(newFile.Module);
        var process = Start(node, old);
        await process.CaptureAsync().Within();
        Assert.True(stream.CanRead);
        Assert.Null(Assert.Single(await node.UpgradeAsync(@new).Within(30)).WhyNot);
        Assert.False(stream.CanRead);
        process.Raise("read", true);
        Assert.Equal("abc new", await process.Completion.Within());
        File.Delete(path);
    }

    [Fact]
    public async Task What_a_function_of_the_program_has_called_in_a_build_beside_it_goes_on_in_the_next()
    {
        using var firstFile = Build(null, optimize: true);
        using var secondFile = Build("SECOND", optimize: true);
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Call(node, first);
        Assert.Null(Assert.Single(await node.UpgradeAsync(second).Within(30)).WhyNot);
        Assert.Equal("called done 42 o1 9 3 10 EUR 1 second 9", await Finish(process));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Call(MobileNode node, LoadedBuild build)
    {
        var run = CompiledBuild.Run(build);
        return node.Start(async () => $"called {await run()}");
    }

    [Fact]
    public async Task A_node_that_keeps_code_keeps_that_of_the_other_build_too()
    {
        using var folder = new Cli.ScratchFolder();
        using var firstFile = Build(null, optimize: true);
        using var secondFile = Build("SECOND", optimize: true);
        var node = new MobileNode("a") { Kept = new(folder.Path) };
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first);
        Assert.Null(Assert.Single(await node.PreviewUpgradeAsync(second).Within(30)).WhyNot);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Assert.Null(Assert.Single(await node.UpgradeAsync(second).Within(30)).WhyNot);
        var image = await process.CaptureAsync().Within();
        var again = new MobileNode("a") { Kept = new(folder.Path), Code = CodePolicy.AnyPeer };
        Assert.Equal("done 42 o1 9 3 10 EUR 1 second 9", await Finish(again.Restore<string>(image)));
    }

    [Fact]
    public async Task A_process_of_another_application_is_left_alone()
    {
        using var file = Build(null, optimize: true);
        var node = new MobileNode("a");
        using var build = node.Load(file.Module);
        var process = node.Start(static async () => await Here.Event<int>("end"));
        Assert.Empty(await node.UpgradeAsync(build).Within(30));
        process.Raise("end", 1);
        Assert.Equal(1, await process.Completion.Within());
    }
}
