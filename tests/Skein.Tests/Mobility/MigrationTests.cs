using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Skein.Tests.Mobility;

/// <summary>A function that has changed while processes were in the middle of it: another of the newer build goes on with its calls, where its author has written one.</summary>
public class MigrationTests
{
    static CompiledBuild Build(string source, bool isSecond, bool optimize = true) => new(source, optimize: optimize, symbols: isSecond ? ["SECOND"] : []);

    [MethodImpl(MethodImplOptions.NoInlining)]
    static MobileProcess<string> Start(MobileNode node, LoadedBuild build, string method = "Run") => node.Start(CompiledBuild.Run(build, method));

    static async Task<string?> WhyNot(MobileNode node, LoadedBuild build) => Assert.Single(await node.UpgradeAsync(build).Within(30)).WhyNot;

    static async Task<string> FramesOf(MobileNode node, MobileProcess process)
    {
        var answer = await node.AskAsync(process.Id, AskKind.Inspect, "", "could not be looked at", Limits.Seconds(10), TestContext.Current.CancellationToken);
        using var json = JsonDocument.Parse(answer.Data);
        return json.RootElement.GetRawText();
    }

    /// <summary>The timer's call of <see cref="MigrationSources.Shop"/> goes on and ends, before the others do: what it adds is the first of the texts.</summary>
    static async Task Fill(MobileNode node, MobileProcess process, ManualTime time)
    {
        await Limits.Until(() => time.Alarms == 1, "the timer");
        time.Advance(TimeSpan.FromMinutes(5));
        await Limits.Until(() => !FramesOf(node, process).GetAwaiter().GetResult().Contains("Flow.Fill", StringComparison.Ordinal), "the end of the timer's call");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_goes_on_in_the_function_that_migrates_it_with_its_locals_and_what_it_waits_for(bool optimize)
    {
        using var firstFile = Build(MigrationSources.Shop, false, optimize);
        using var secondFile = Build(MigrationSources.Shop, true, optimize);
        var time = new ManualTime();
        var (a, b) = (new MobileNode("a", time), new MobileNode("b", time) { Code = CodePolicy.AnyPeer });
        a.Connect(b);
        using var first = a.Load(firstFile.Module);
        using var second = a.Load(secondFile.Module);
        var process = Start(a, first);
        await Limits.Until(() => time.Alarms == 1, "the timer");
        Assert.Null(Assert.Single(await a.PreviewUpgradeAsync(second).Within(30)).WhyNot);
        Assert.Contains("\"Flow.Step()\"", await FramesOf(a, process));

        Assert.Null(await WhyNot(a, second));
        await Limits.Until(() => time.Alarms == 1, () => $"one timer, of the call that goes on; there are {time.Alarms}");   // what the question itself has set is taken back after its answer
        var frames = await FramesOf(a, process);
        Assert.Contains("\"Desk.ServeBefore()\"", frames);
        Assert.Contains("\"Flow.FillBefore()\"", frames);
        Assert.DoesNotContain("MigratedFrame", frames);
        Assert.Empty(await a.UpgradeAsync(second).Within(30));   // it is there

        await process.MoveToAsync("b").Within(30);
        await Fill(b, process, time);
        process.Raise("two", "2");
        process.Raise("serve", 4);
        process.Raise("one", "1");
        Assert.Equal("second, 1 2 41 o1 second, desk 7 second", await process.Completion.Within());
    }

    [Fact]
    public async Task Which_function_migrates_a_call_depends_on_the_await_that_it_is_at()
    {
        using var firstFile = Build(MigrationSources.Shop, false);
        using var secondFile = Build(MigrationSources.Shop, true);
        var time = new ManualTime();
        var node = new MobileNode("a", time);
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first);
        process.Raise("one", "1");
        await Limits.Until(() => FramesOf(node, process).GetAwaiter().GetResult().Contains("the event two", StringComparison.Ordinal), "the second await");
        Assert.Null(await WhyNot(node, second));
        await Fill(node, process, time);
        process.Raise("two", "2");
        process.Raise("serve", 4);
        Assert.Equal("second, 1 2 40 was at two, desk 7 second", await process.Completion.Within());
    }

    // What is wrong with the function that is to go on with one of this name (@), and what is said of it. The old functions are alike.
    static readonly (string Name, string Migrating, string Why)[] Unfit =
    [
        ("Nobody", "", "Flow.@() is on the stack of the process, and has changed; it is at await 1 of Shop.cs:100."),
        ("Elsewhere", """[Migrates("@", 2)] static Mobile<string> @X(Mobile<string> awaited) => awaited;""", "at await 1 of Shop.cs:100."),
        ("Version", """[Migrates("@", 1, From = "7.0.0.0")] static Mobile<string> @X(Mobile<string> awaited) => awaited;""", "at await 1 of Shop.cs:100."),
        ("Result", """[Migrates("@", 1)] static Mobile @X(Mobile<string> awaited) => default;""", "Flow.@X() cannot go on with it: it returns Mobile, and not Mobile<String>."),
        ("Awaited", """[Migrates("@", 1)] static Mobile<string> @X(Mobile<int> awaited) => default;""", "its first parameter must be what the old call waits for, a Mobile<String>."),
        ("Nothing", """[Migrates("@", 1)] static Mobile<string> @X() => default;""", "its first parameter must be what the old call waits for, a Mobile<String>."),
        ("Unknown", """[Migrates("@", 1)] static Mobile<string> @X(Mobile<string> awaited, int other) => awaited;""", "'other' is no local of the old function, or none that it keeps while it waits."),
        ("Typed", """[Migrates("@", 1)] static Mobile<string> @X(Mobile<string> awaited, long number) => awaited;""", "'number' is a Int32 in the old function."),
        ("Generic", """[Migrates("@", 1)] static Mobile<string> @X<T>(Mobile<string> awaited) => awaited;""", "it must be static, and not generic."),
        ("Several", """[Migrates("@", 1)] static Mobile<string> @X(Mobile<string> awaited) => awaited; [Migrates("@", 1)] static Mobile<string> @Y(Mobile<string> awaited, int number) => awaited;""", "several functions go on with it: @X, @Y."),
        ("Named", """[Migrates("@", 1)] static Mobile<string> @X(Mobile<string> awaited, int twice) => awaited;""", "the old function has several locals 'twice'."),
    ];

    public static TheoryData<string> UnfitNames => [.. Unfit.Select(static one => one.Name)];

    const string Old = """
        public static async Mobile<string> @()
        {
            var number = 1;
            {
                var twice = 1;
                number += twice;
            }
            {
                var twice = 2;
                number += twice;
            }
        #line 100 "Shop.cs"
            var mail = await Here.Event<string>("go");
        #if SECOND
            return $"{mail} {number} second";
        #else
            return $"{mail} {number} first";
        #endif
        }

        """;

    static readonly string UnfitSource = "public static class Flow\n{\n"
        + string.Concat(Unfit.Select(static one => Old.Replace("@", one.Name, StringComparison.Ordinal) + $"#if SECOND\n{one.Migrating.Replace("@", one.Name, StringComparison.Ordinal)}\n#endif\n")) + "}";

    [Theory]
    [MemberData(nameof(UnfitNames))]
    public async Task A_function_that_does_not_fit_is_not_called_and_what_is_wrong_is_said(string function)
    {
        using var firstFile = Build(UnfitSource, false, optimize: false);
        using var secondFile = Build(UnfitSource, true, optimize: false);
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first, function);
        var stayed = Assert.Single(await node.UpgradeAsync(second).Within(30));
        Assert.EndsWith(Unfit.Single(one => one.Name == function).Why.Replace("@", function, StringComparison.Ordinal), stayed.WhyNot);
        Assert.Equal(($"Flow.{function}()", "Shop.cs", 100), (stayed.Function, stayed.File, stayed.Line));
        Assert.Equal(stayed, Assert.Single(await node.PreviewUpgradeAsync(second).Within(30)));
        process.Raise("go", "mail");
        Assert.Equal("mail 4 first", await process.Completion.Within());
    }

    [Fact]
    public async Task If_it_throws_before_it_waits_the_process_stays_as_it_was_and_nothing_of_the_attempt_runs()
    {
        using var firstFile = Build(MigrationSources.Failing, false);
        using var secondFile = Build(MigrationSources.Failing, true);
        using var folder = new Cli.ScratchFolder();
        await using var store = FileStore.Open(folder["store"]);
        var time = new ManualTime();
        var node = new MobileNode("a", time, store);
        var gate = new TaskCompletionSource();
        using var begun = new SemaphoreSlim(0);
        node.Provide("gate", gate.Task);
        node.Provide("begun", begun);
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first);
        process.Send("mail");
        Assert.Equal(
            "It cannot go on in the other build: Flow.WaitBefore(), which is to go on with Flow.Wait(), threw InvalidOperationException: on purpose",
            await WhyNot(node, second));
        Assert.Equal(0, time.Alarms);
        await begun.WaitAsync(TestContext.Current.CancellationToken).Within();
        await begun.WaitAsync(TestContext.Current.CancellationToken).Within();
        gate.SetResult();
        time.Advance(TimeSpan.FromDays(2));
        process.Raise("one", "1");
        process.Raise("two", "2");
        Assert.Equal("1 first 2 first unset mail", await process.Completion.Within());
        Assert.Equal(false, second.Assembly.GetType("Flow")!.GetField("Ran")!.GetValue(null));
    }

    [Theory]
    [InlineData("Late", "go second")]
    [InlineData("Held", "soon go")]
    [InlineData("Whole", "whole")]
    [InlineData("Busy", "True second")]
    [InlineData("Moves", "b")]
    public async Task However_the_call_stands_whoever_waits_for_it_gets_its_end(string function, string end)
    {
        using var firstFile = Build(MigrationSources.Odd, false);
        using var secondFile = Build(MigrationSources.Odd, true);
        var (node, b) = (new MobileNode("a"), new MobileNode("b") { Code = CodePolicy.AnyPeer });
        node.Connect(b);
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first, function);
        if (function == "Held")
            await Limits.Until(() => FramesOf(node, process).GetAwaiter().GetResult().Contains("the event go", StringComparison.Ordinal), "the wait");
        Assert.Null(await WhyNot(node, second));
        if (function is "Late" or "Held")
            process.Raise("go", "go");
        Assert.Equal(end, await process.Completion.Within());
        Assert.Equal(0, node.Count);
    }

    [Fact]
    public async Task What_it_begins_before_it_waits_is_begun_once()
    {
        using var firstFile = Build(MigrationSources.Odd, false);
        using var secondFile = Build(MigrationSources.Odd, true);
        var time = new ManualTime();
        var node = new MobileNode("a", time);
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first, "Sleeps");
        Assert.Null(await WhyNot(node, second));
        Assert.Equal(1, time.Alarms);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("slept", await process.Completion.Within());
    }

    [Fact]
    public async Task A_process_whose_migration_does_not_return_can_be_killed()
    {
        using var firstFile = Build(MigrationSources.Odd, false);
        using var secondFile = Build(MigrationSources.Odd, true);
        using var released = new ManualResetEventSlim();
        var (time, hanging) = (new ManualTime(), new TaskCompletionSource());
        var node = new MobileNode("a", time);
        node.Provide<Action>("hang", () =>
        {
            hanging.SetResult();
            released.Wait(Limits.Seconds(30));
        });
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first, "Hangs");
        var upgrading = node.UpgradeAsync(second);
        await hanging.Task.Within();
        process.Kill();
        await Limits.Until(() => time.Alarms == 2, "the patience of the kill");   // and the upgrade's
        time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
        released.Set();
        Assert.Empty(await upgrading.Within());
        Assert.Equal(0, node.Count);
    }

    [Theory]
    [InlineData("Lambdas", "unread", "go 41 first")]
    [InlineData("Foreign", "secret", "go 41 first")]
    public async Task A_variable_that_is_not_of_the_call_or_has_not_travelled_is_not_made_up(string function, string variable, string end)
    {
        using var firstFile = Build(MigrationSources.Odd, false);
        using var secondFile = Build(MigrationSources.Odd, true);
        var node = new MobileNode("a");
        using var first = node.Load(firstFile.Module);
        using var second = node.Load(secondFile.Module);
        var process = Start(node, first, function);
        Assert.EndsWith($"'{variable}' is no local of the old function, or none that it keeps while it waits.", await WhyNot(node, second));
        process.Raise("go", "go");
        Assert.Equal(end, await process.Completion.Within());
    }
}
