using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Skein.Tests.Mobility;

/// <summary>What a process does is seen from outside: calls, lines, locals, timers, mail, size; and nothing of it runs for that.</summary>
public class InspectionTests
{
    static readonly MobileNode Node = new("a");

    sealed record Order(int Number, string Customer)
    {
        public override string ToString() => throw new InvalidOperationException("nobody asked for this");
    }

    static int Line([CallerLineNumber] int line = 0) => line;

    static int _stepLine, _sleepLine;

    static async Mobile<int> Outer(string[] nodes)
    {
        var total = 40;
        var order = new Order(7, "Ada");
        Here.Set("colour", "blue");
        var sleeping = Sleep();
        total += await Step(nodes[0]);
        await sleeping;
        return total + order.Number;
    }

    static async Mobile<int> Step(string name)
    {
        var half = 0.5;
        _stepLine = Line() + 1;
        var number = await Here.Event<int>("go");
        return number + name.Length + (int)half;
    }

    static async Mobile Sleep()
    {
        _sleepLine = Line() + 1;
        await Here.Delay(TimeSpan.FromDays(1));
    }

    static async Task<JsonElement> Inspect(MobileProcess process)
    {
        var answer = await Node.AskAsync(process.Id, AskKind.Inspect, "", "could not be looked at", Limits.Seconds(10), TestContext.Current.CancellationToken);
        using var json = JsonDocument.Parse(answer.Data);
        return json.RootElement.Clone();
    }

    [Fact]
    public async Task Calls_are_shown_with_their_lines_and_locals_and_those_beside_them()
    {
        var process = Node.Start(static () => Outer(["b", "c"]));
        process.Send("unread");
        process.Raise("unheard", 5);
        var found = await Inspect(process);

        var frames = found.GetProperty("frames").EnumerateArray().ToArray();
        Assert.Equal(["InspectionTests.Step()", "InspectionTests.Outer()"], frames.Select(static frame => frame.GetProperty("function").GetString()));
        Assert.Equal((nameof(InspectionTests) + ".cs", _stepLine), (Path.GetFileName(frames[0].GetProperty("file").GetString()), frames[0].GetProperty("line").GetInt32()));
        Assert.Equal("0.5", frames[0].GetProperty("locals").GetProperty("half").GetString());
        Assert.Equal("\"b\"", frames[0].GetProperty("locals").GetProperty("name").GetString());
        var outer = frames[1].GetProperty("locals");
        Assert.Equal("String[2] { \"b\", \"c\" }", outer.GetProperty("nodes").GetString());
        Assert.Equal("Order { Number = 7, Customer = \"Ada\" }", outer.GetProperty("order").GetString());
        Assert.Equal("the event go of Int32", found.GetProperty("waitsFor").GetString());

        var child = Assert.Single(found.GetProperty("children").EnumerateArray());
        Assert.StartsWith("the time ", child.GetProperty("waitsFor").GetString());
        Assert.Equal(_sleepLine, Assert.Single(child.GetProperty("frames").EnumerateArray()).GetProperty("line").GetInt32());
        Assert.Single(found.GetProperty("timers").EnumerateArray());
        Assert.Equal(["\"unread\"", "5"], found.GetProperty("mailbox").EnumerateArray().Select(static mail => mail.GetProperty("value").GetString()));
        Assert.Equal("\"blue\"", found.GetProperty("values").GetProperty("colour").GetString());
        Assert.Equal("InspectionTests.Outer", found.GetProperty("name").GetString());
        process.Kill();
    }

    [Fact]
    public async Task Its_size_is_that_of_its_image_also_when_letters_have_just_come()
    {
        Queue<IThreadPoolWorkItem>? held = new();
        var node = new MobileNode("a")
        {
            Run = work =>
            {
                if (Interlocked.Exchange(ref held, null) is { } first)
                    first.Enqueue(work);
                else
                    ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
            },
        };
        var waiting = held;
        var process = node.Start(static () => Outer(["b", "c"]));
        process.Send("unread");   // it reads them, and is looked at, before it has told anybody
        process.Raise("unheard", 5);
        var looking = node.AskAsync(process.Id, AskKind.Inspect, "", "could not be looked at", Limits.Seconds(10), TestContext.Current.CancellationToken);
        ThreadPool.UnsafeQueueUserWorkItem(waiting.Dequeue(), preferLocal: false);
        using var found = JsonDocument.Parse((await looking).Data!);
        Assert.Equal((await process.CaptureAsync()).Length, found.RootElement.GetProperty("size").GetInt32());
    }

    [Fact]
    public async Task What_cannot_move_is_seen_and_says_why()
    {
        var open = new TaskCompletionSource<int>();
        static async Mobile<int> Download(Task<int> task) => await task + 1;
        var process = Node.Start(() => Download(open.Task));
        var found = await Inspect(process);
        Assert.Equal(JsonValueKind.Null, found.GetProperty("size").ValueKind);
        Assert.Contains("Task<Int32>", found.GetProperty("cannotMove").GetString());
        Assert.Equal("Task<Int32>", found.GetProperty("waitsFor").GetString());
        Assert.Contains("Download", found.GetProperty("frames")[0].GetProperty("function").GetString());
        open.SetResult(1);
        Assert.Equal(2, await process.Completion.Within());
    }

    [Fact]
    public async Task Each_of_several_that_are_awaited_is_shown_once()
    {
        static async Mobile One(string name) => await Here.Event<int>(name);
        static async Mobile<int> First() => await Mobile.WhenAny(One("x"), One("y"));
        static async Mobile All() => await Mobile.WhenAll(One("u"), One("v"));
        foreach (var (process, count) in new (MobileProcess, int)[] { (Node.Start(static () => First()), 2), (Node.Start(static () => All()), 2) })
        {
            var found = await Inspect(process);
            Assert.Equal(count - 1, found.GetProperty("children").GetArrayLength());
            Assert.Contains(found.GetProperty("frames").EnumerateArray(), frame => frame.GetProperty("function").GetString()!.EndsWith(".One()", StringComparison.Ordinal) || frame.GetProperty("function").GetString() == "One()");
            process.Kill();
        }
    }

    [Fact]
    public void Values_are_shown_short_and_without_code_of_the_application()
    {
        Assert.Equal("null", ValueText.Of(null));
        Assert.Equal($"\"{new string('x', 80)}…\"", ValueText.Of(new string('x', 1000)));
        Assert.Equal("List<Int32>[10] { 1, 2, 3, 4, 5, 6, 7, 8, … }", ValueText.Of(Enumerable.Range(1, 10).ToList()));
        Assert.Equal("2026-11-21T00:00:00.0000000Z", ValueText.Of(new DateTime(2026, 11, 21, 0, 0, 0, DateTimeKind.Utc)));
        Assert.StartsWith("Dictionary<String, Order>[1] { ", ValueText.Of(new Dictionary<string, Order> { ["a"] = new(1, "b") }));
        var cycle = new object[1];
        cycle[0] = cycle;
        Assert.Equal("Object[1] { Object[1] { Object[1] } }", ValueText.Of(cycle));
    }
}
