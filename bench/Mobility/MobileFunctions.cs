using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Skein.Bench.Mobility;

/// <summary>What a mobile function costs where it stays, beside the framework's tasks; and what it costs to move.</summary>
static class MobileFunctions
{
    static readonly MobileNode Node = new("bench");

    public static Experiment Call(Scale scale)
    {
        var count = scale.Of(50_000_000);   // for longer than the runtime takes to compile what is called often
        return new("mobile-call", "a call that ends without waiting", Unit.Nanoseconds,
        [
            new Local("Mobile", "Mobile<int>, in a process of one node", () => MobileAsync(count, MobileCalls)),
            new Local("Task", "Task<int>, on the thread pool", () => TaskAsync(count, TaskCalls)),
        ],
        [
            new("Mobile", "Task") { AtLeast = 2 },
        ]);
    }

    public static Experiment Yield(Scale scale)
    {
        var count = scale.Of(500_000);
        return new("mobile-yield", "three calls deep, the innermost waits for its turn", Unit.Nanoseconds,
        [
            new Local("Mobile", "Here.Yield()", () => MobileAsync(count, MobileYields)),
            new Local("Task", "Task.Yield()", () => TaskAsync(count, TaskYields)),
            new Local("Task on one thread", "Task.Yield(), to a queue that one thread empties", () => Task.FromResult(OneThread.Run(() => TimeAsync(count, TaskYields)))),
        ],
        [
            new("Mobile", "Task") { AtLeast = 1 / 0.7 },
            new("Mobile", "Task on one thread"),
        ]);
    }

    /// <summary>All of a move: the wish of an operator with its limit, the image, the objects made of it, the answer. Beside the tasks of the experiment before.</summary>
    public static Experiment Move(Scale scale)
    {
        var (moves, yields) = (scale.Of(50), scale.Of(500_000));
        return new("mobile-move", "a parked process, three calls deep, is written and made again at another node", Unit.Nanoseconds,
        [
            new Local("a move", "1,000 processes at once, two nodes of one program", () => MovesAsync(moves)),
            new Local("Task", "three calls and Task.Yield()", () => TaskAsync(yields, TaskYields)),
        ],
        [
            new("a move", "Task"),
        ]);
    }

    static async Task<double> MobileAsync(int count, Func<int, Mobile<int>> work)
    {
        var started = Stopwatch.GetTimestamp();
        Check(count, await Node.Start(() => work(count)).Completion);
        return Stopwatch.GetElapsedTime(started).TotalNanoseconds / count;
    }

    public static Task<double> TaskAsync(int count, Func<int, Task<int>> work) => Task.Run(() => TimeAsync(count, work));

    static async Task<double> TimeAsync(int count, Func<int, Task<int>> work)
    {
        var started = Stopwatch.GetTimestamp();
        Check(count, await work(count));
        return Stopwatch.GetElapsedTime(started).TotalNanoseconds / count;
    }

    static void Check(int count, int ended)
    {
        if (count != ended)
            throw new InvalidDataException($"{ended} of {count} calls have ended");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static async Mobile<int> MobileOne(int x) => x;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static async Task<int> TaskOne(int x) => x;

    static async Mobile<int> MobileCalls(int count)
    {
        var ended = 0;
        while (ended < count)
            ended += await MobileOne(1);
        return ended;
    }

    static async Task<int> TaskCalls(int count)
    {
        var ended = 0;
        while (ended < count)
            ended += await TaskOne(1);
        return ended;
    }

    static async Mobile<int> MobileYields(int count)
    {
        var ended = 0;
        while (ended < count)
            ended += await MobileOuter(1);
        return ended;
    }

    static async Mobile<int> MobileOuter(int x) => await MobileMiddle(x);

    static async Mobile<int> MobileMiddle(int x) => await MobileInner(x);

    static async Mobile<int> MobileInner(int x)
    {
        await Here.Yield();
        return x;
    }

    public static async Task<int> TaskYields(int count)
    {
        var ended = 0;
        while (ended < count)
            ended += await TaskOuter(1);
        return ended;
    }

    static async Task<int> TaskOuter(int x) => await TaskMiddle(x);

    static async Task<int> TaskMiddle(int x) => await TaskInner(x);

    static async Task<int> TaskInner(int x)
    {
        await Task.Yield();
        return x;
    }

    /// <summary>It is parked when somebody who asks it is answered. <see cref="EndAsync"/> ends it.</summary>
    public static MobileProcess<int> ThreeCalls(MobileNode node, int number) => node.Start(() => Outermost(number));

    /// <summary>Of processes with the numbers 0, 1, 2…; checks what they held.</summary>
    public static async Task EndAsync(MobileProcess<int>[] processes)
    {
        for (var i = 0; i < processes.Length; i++)
        {
            processes[i].Send(1);
            if (await processes[i].Completion.Within() != 1 + (i + 1) * 2 + 4 + i)
                throw new InvalidDataException("a process lost its locals");
        }
    }

    static async Mobile<int> Outermost(int x) => await Between(x + 1, "text") + x;

    static async Mobile<int> Between(int y, string text) => await Innermost(y * 2) + text.Length;

    static async Mobile<int> Innermost(long z) => await Here.Receive<int>() + (int)z;

    static async Task<double> MovesAsync(int rounds)
    {
        var (a, b) = (new MobileNode("a"), new MobileNode("b"));
        a.Connect(b);
        var processes = Enumerable.Range(0, 1000).Select(i => ThreeCalls(a, i)).ToArray();
        await Task.WhenAll(processes.Select(process => process.MoveToAsync("b")));
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round < rounds; round++)
            await Task.WhenAll(processes.Select(process => process.MoveToAsync(round % 2 == 0 ? "a" : "b")));
        var took = Stopwatch.GetElapsedTime(started);
        await EndAsync(processes);
        return took.TotalNanoseconds / (rounds * processes.Length);
    }
}
