using System.Runtime.CompilerServices;

namespace Skein.Tests.Mobility;

/// <summary>What cannot travel is refused before anything has changed, with the way to it; the process goes on.</summary>
public class RefusedMoveTests
{
    readonly MobileNode _a = new("a"), _b = new("b");

    public RefusedMoveTests() => _a.Connect(_b);

    sealed class Logger(Stream stream) : IDisposable
    {
        readonly Stream _stream = stream;

        public void Dispose() => _stream.Dispose();

        public void Log() => _stream.Flush();
    }

    /// <summary>Moves, and goes on here when that is refused.</summary>
    static async Mobile<CannotMoveException> Refused(Func<Mobile> move)
    {
        try
        {
            await move();
        }
        catch (CannotMoveException e)
        {
            Assert.Equal("a", Here.Node);
            return e;
        }
        throw new InvalidOperationException($"moved to {Here.Node}");
    }

    async Task<CannotMoveException> RefusalOf(Func<Mobile> move)
    {
        var refused = await _a.Start(() => Refused(move)).Completion.Within();
        Assert.Equal(0, _b.Count);
        return refused;
    }

    static async Mobile Step(Stream stream)
    {
        var log = new Logger(stream);
        await Here.MoveTo("b");
        log.Log();
    }

    [Fact]
    public async Task An_open_file_is_named_by_the_way_to_it()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var refused = await RefusalOf(() => Step(stream));
        Assert.Equal("RefusedMoveTests.Step() → local 'stream'", refused.Path);
        Assert.Contains("FileStream belongs to its place", refused.Message);
        Assert.Contains("Here.Resource", refused.Message);

        refused = await RefusalOf(static () => Keep(new Logger(new FileStream("/dev/null", FileMode.Open))));
        Assert.Equal("RefusedMoveTests.Keep() → local 'value' → _stream", refused.Path);
    }

    static async Mobile Keep<T>(T value)
    {
        try
        {
            await Here.MoveTo("b");
        }
        finally
        {
            (value as IDisposable)?.Dispose();
        }
    }

    sealed class Bag
    {
        public Dictionary<string, object> Things { get; } = [];
    }

    public static TheoryData<string, string> Culprits => new()
    {
        { "thread", "Thread" },
        { "semaphore", "SemaphoreSlim" },
        { "lock", "Lock" },
        { "timer", "PeriodicTimer" },
        { "failed task", "task that has not ended well" },
        { "async iterator", "local of the compiler's" },
    };

    static object Boxed<T>(T value) => value!;

    [Theory]
    [MemberData(nameof(Culprits))]
    public async Task What_belongs_to_its_place_is_refused(string what, string named)
    {
        using var semaphore = new SemaphoreSlim(1);
        using var timer = new PeriodicTimer(TimeSpan.FromDays(1));
        var bag = new Bag();
        bag.Things["a list"] = new List<object> { 1, what switch
        {
            "thread" => Thread.CurrentThread,
            "semaphore" => semaphore,
            "lock" => Boxed(new Lock()),
            "timer" => timer,
            _ => Task.FromException(new InvalidDataException()),
        } };
        var refused = await RefusalOf(what == "async iterator" ? Iterate : () => Keep(bag));
        if (what != "async iterator")
            Assert.Equal("RefusedMoveTests.Keep() → local 'value' → Things[a list][1]", refused.Path);
        Assert.Contains(named, refused.Message);
    }

    static async Mobile Iterate()
    {
        await foreach (var number in Numbers())
        {
            if (number == 1)
                await Here.MoveTo("b");
        }
    }

    static async IAsyncEnumerable<int> Numbers([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        for (var i = 0; ; i++)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            yield return i;
        }
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_named_and_so_are_those_that_are()
    {
        var refused = await RefusalOf(static () => Here.MoveTo("c"));
        Assert.Contains("no node named c, only with b", refused.Message);
        Assert.Null(refused.Path);
    }

    [Fact]
    public async Task A_pending_task_is_waited_for()
    {
        var ends = new TaskCompletionSource<int>();
        var holds = _a.Start(() => Hold(ends.Task, TimeSpan.FromSeconds(30)));
        var awaits = _a.Start(() => AwaitBeside(ends.Task));
        await Limits.Until(() => _a.List().Count(static process => process.State == "waiting") == 2, "both to wait for it");
        ends.SetResult(5);
        Assert.Equal("5 b", await holds.Completion.Within());
        Assert.Equal("5 b b", await awaits.Completion.Within());
    }

    [Fact]
    public async Task A_task_that_does_not_end_is_named_after_the_limit()
    {
        var never = new TaskCompletionSource<int>();
        var holds = await Assert.ThrowsAsync<CannotMoveException>(() => _a.Start(() => Hold(never.Task, TimeSpan.FromMilliseconds(50))).Completion.Within());
        Assert.Contains("a task in RefusedMoveTests.Hold() → local 'task'", holds.Message);
        var awaits = await RefusalOf(async () =>
        {
            var waiting = Await(never.Task);
            await Here.MoveTo("b", TimeSpan.FromMilliseconds(50));
            await waiting;
        });
        Assert.Contains("Task<int> in RefusedMoveTests.Await(), which cannot be written", awaits.Message.Replace("Int32", "int", StringComparison.Ordinal));
        Assert.Contains("Here.Restartable", awaits.Message);
    }

    static async Mobile<string> Hold(Task<int> task, TimeSpan limit)
    {
        await Here.MoveTo("b", limit);
        return $"{await task} {Here.Node}";
    }

    static async Mobile<int> Await(Task<int> task) => await task;

    static async Mobile<string> AwaitBeside(Task<int> task)
    {
        async Mobile<string> Wait() => $"{await task} {Here.Node}";

        var waiting = Wait();
        await Here.MoveTo("b");
        return $"{(await waiting)[0]} {Here.Node} {Here.Node}";
    }

    [Fact]
    public async Task A_mobile_call_that_ordinary_code_awaits_is_refused()
    {
        static async Task<int> Ordinary(Mobile<int> call) => await call;

        static async Mobile<int> Receive() => await Here.Receive<int>();

        var refused = await RefusalOf(static async () =>
        {
            _ = Ordinary(Receive());
            await Here.MoveTo("b");
        });
        Assert.Contains("ordinary Task code waits for this mobile call", refused.Message);
        Assert.StartsWith("RefusedMoveTests.Receive()", refused.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_process_goes_on_with_all_that_it_had()
    {
        using var stream = new FileStream("/dev/null", FileMode.Open);
        var process = _a.Start(async () =>
        {
            var first = Here.Receive<string>();
            for (var i = 0; i < 3; i++)
                _ = await Refused(() => Step(stream));
            stream.Dispose();
            var text = await first;
            await Here.Delay(TimeSpan.FromMilliseconds(1));
            return text + await Here.Receive<string>() + Here.Node;
        });
        process.Send("one ");
        process.Send("two ");
        Assert.Equal("one two a", await process.Completion.Within());
    }

    [Fact]
    public async Task Mobile_calls_outside_of_a_process_say_where_they_belong()
    {
        Assert.Contains("MobileNode.Start", Assert.Throws<InvalidOperationException>(() => { _ = Here.Receive<int>(); }).Message);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Here.Yield()).Within();
    }
}
