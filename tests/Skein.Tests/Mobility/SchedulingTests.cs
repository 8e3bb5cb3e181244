using System.Collections.Concurrent;

namespace Skein.Tests.Mobility;

/// <summary>Many mobile processes share few threads, fairly, and what blocks in one holds up no other.</summary>
public class SchedulingTests
{
    const int SliceTurns = 256;

    static async Mobile<int> Count(int[] steps, int number, int turns)
    {
        for (var turn = 0; turn < turns; turn++)
        {
            steps[number]++;
            await Here.Yield();
        }
        return steps[number];
    }

    [Fact]
    public async Task Each_busy_process_has_its_slice_before_any_has_its_next()
    {
        const int Processes = 100, Slices = 5;
        var waiting = new Queue<IThreadPoolWorkItem>();
        var node = new MobileNode("a") { Run = waiting.Enqueue };
        var steps = new int[Processes];
        var busy = Enumerable.Range(0, Processes).Select(number => node.Start(() => Count(steps, number, Slices * SliceTurns))).ToArray();
        for (var slice = 1; slice <= Slices; slice++)
        {
            for (var i = 0; i < Processes; i++)
                waiting.Dequeue().Execute();
            Assert.All(steps, count => Assert.InRange(count, slice * SliceTurns - 1, slice * SliceTurns + 1));
        }
        while (waiting.TryDequeue(out var last))
            last.Execute();
        Assert.All(await Task.WhenAll(busy.Select(process => process.Completion)).Within(), count => Assert.Equal(Slices * SliceTurns, count));
    }

    static async Mobile<bool> Alone(int turns, ConcurrentDictionary<int, bool> threads, int[] inside, int number)
    {
        var isAlone = true;
        for (var turn = 0; turn < turns; turn++)
        {
            isAlone &= Interlocked.Increment(ref inside[number]) == 1;
            threads[Environment.CurrentManagedThreadId] = true;
            Interlocked.Decrement(ref inside[number]);
            await Here.Yield();
        }
        return isAlone;
    }

    [Fact]
    public async Task Thousands_of_processes_run_on_as_many_threads_as_there_are_each_on_one_at_a_time()
    {
        var (processes, turns) = Limits.Long ? (100_000, 500) : (2_000, 300);
        using var threads = new FewThreads(3);
        var node = new MobileNode("a") { Run = threads.Add };
        var (seen, inside) = (new ConcurrentDictionary<int, bool>(), new int[processes]);
        var all = Enumerable.Range(0, processes).Select(number => node.Start(() => Alone(turns, seen, inside, number))).ToArray();
        Assert.All(await Task.WhenAll(all.Select(process => process.Completion)).Within(60), Assert.True);
        Assert.InRange(seen.Count, 1, 3);
    }

    static async Mobile<int> BlockAndCount(ManualResetEventSlim go, int[] steps)
    {
        var blocked = Here.Blocking(() => go.Wait(Limits.Seconds(20)));
        await Count(steps, 0, 1000);
        return await blocked ? steps[0] : -1;
    }

    [Fact]
    public async Task What_blocks_holds_up_neither_the_other_calls_of_its_process_nor_another_on_the_only_thread()
    {
        using var go = new ManualResetEventSlim();
        using var threads = new FewThreads(1);
        var node = new MobileNode("a") { Run = threads.Add };
        var steps = new int[2];
        var blocking = node.Start(() => BlockAndCount(go, steps));
        try
        {
            Assert.Equal(1000, await node.Start(() => Count(steps, 1, 1000)).Completion.Within());
            await Limits.Until(() => Volatile.Read(ref steps[0]) == 1000, "the other call of the process that blocks");
            Assert.False(blocking.Completion.IsCompleted);
        }
        finally
        {
            go.Set();
        }
        Assert.Equal(1000, await blocking.Completion.Within());
    }

    /// <summary>So many threads run all that is to run, in order.</summary>
    sealed class FewThreads : IDisposable
    {
        readonly BlockingCollection<IThreadPoolWorkItem> _waiting = [];
        readonly Thread[] _threads;

        public FewThreads(int count)
        {
            _threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(Run) { IsBackground = true })];
            Array.ForEach(_threads, thread => thread.Start());
        }

        public void Add(IThreadPoolWorkItem item)
        {
            if (!_waiting.IsAddingCompleted)
                _waiting.Add(item);
        }

        public void Dispose()
        {
            _waiting.CompleteAdding();
            Array.ForEach(_threads, thread => thread.Join());
            _waiting.Dispose();
        }

        void Run()
        {
            foreach (var item in _waiting.GetConsumingEnumerable())
                item.Execute();
        }
    }
}
