using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Skein.Tests.Faults;

/// <summary>
/// What comes through the memory that a worker shares with its parent is bounded and checked: a worker that writes nonsense there is
/// replaced, and costs its own tasks. <c>SKEIN_TEST_SEED</c> repeats a run.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class DamagedFrameTests(ITestOutputHelper output)
{
    static Task<WorkerPool> Start() =>
        WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2, RestartIntensity = int.MaxValue, OnError = static _ => { } }).Within(20);

    static async Task StillWorks(WorkerPool pool) =>
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n))).Within(20));

    [Theory]
    [InlineData("empty")]
    [InlineData("noise")]
    [InlineData("unknown kind")]
    [InlineData("no such slot")]
    [InlineData("truncated result")]
    [InlineData("result of another type")]
    [InlineData("bytes left over")]
    [InlineData("length beyond the ring")]
    [InlineData("position beyond the ring")]
    [InlineData("answer twice")]
    [InlineData("ready twice")]
    public async Task A_worker_that_sends_nonsense_is_replaced_and_only_its_task_is_lost(string nonsense)
    {
        await using var pool = await Start();
        var other = pool.RunAsync(static async () => { await Task.Delay(TimeSpan.FromMilliseconds(200)); return 5; });
        var lost = await Assert.ThrowsAsync<ProcessLostException>(() => pool.RunAsync(Misbehave, nonsense).Within(20));
        Assert.Equal(ExitCause.Lost, lost.Exit.Cause);
        Assert.Contains("cannot be read", lost.Message, StringComparison.Ordinal);
        Assert.Equal(5, await other.Within());
        await StillWorks(pool);
        await Limits.Until(() => pool.WorkerCount == 2, "two workers again");
    }

    /// <summary>Runs in a worker: writes into the ring of results, then waits for what must come.</summary>
    static int Misbehave(string how)
    {
        var memory = Field<WorkerMemory>(WorkerProgram.Current!, "_memory");
        var slot = (byte)memory.RunningSlot;
        var ring = memory.Results;
        switch (how)
        {
            case "empty": Send(ring); break;
            case "noise": Send(ring, [.. Enumerable.Range(0, 300).Select(n => (byte)(n * 77 + 13))]); break;
            case "unknown kind": Send(ring, 200, 0, 0); break;
            case "no such slot": Send(ring, (byte)WorkerFrame.Result, 63, 0, 1); break;
            case "truncated result": Send(ring, (byte)WorkerFrame.Result, slot); break;
            case "result of another type": Send(ring, Result(slot, "text")); break;
            case "bytes left over": Send(ring, [.. Result(slot, 7), 0, 0, 0]); break;
            case "answer twice": Send(ring, [(byte)WorkerFrame.Fault, slot, 0, 0xff, 0xff]); break;
            case "ready twice": Send(ring, [(byte)WorkerFrame.Ready, 1, 0, .. new byte[] { 0, 1, 1 }]); break;
            case "length beyond the ring": Send(ring, 5); Corrupt(ring, length: uint.MaxValue - 9); break;
            default: Corrupt(ring, ahead: 1 << 30); break;
        }

        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    static byte[] Result<T>(byte slot, T value)
    {
        var writer = new GraphWriter(new());
        writer.Begin();
        writer.WriteByte((byte)WorkerFrame.Result);
        writer.WriteNumber(slot);
        writer.WriteNumber(1);
        writer.Write(value);
        return writer.Written.ToArray();
    }

    static void Send(Ring ring, params byte[] message)
    {
        while (!ring.TryClaim(message.Length, out var space, (uint)message.Length << 1) || !Copy(message, space))
        {
            // full
        }

        ring.Commit();

        static bool Copy(byte[] from, Span<byte> to) => from.AsSpan().TryCopyTo(to);
    }

    /// <summary>The length of the newest message, or the position behind it, is made nonsense.</summary>
    static unsafe void Corrupt(Ring ring, uint? length = null, ulong ahead = 0)
    {
        var memory = (byte*)Pointer.Unbox(typeof(Ring).GetField("_base", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(ring)!);
        var tail = (ulong*)memory;
        if (length is { } wrong)
        {
            ring.TryClaim(8, out _);
            *(uint*)(memory + 4096 + (*tail & (ulong)(ring.Capacity - 1))) = wrong;
            ring.Commit();
        }
        else
        {
            Volatile.Write(ref *tail, *tail + ahead);
            ring.Close();   // wakes whoever sleeps
        }
    }

    [Fact]
    public async Task Mutated_frames_of_a_real_worker_cost_no_more_than_their_worker()
    {
        var rounds = Limits.Long ? 1000 : 20;
        var seed = Seed();
        await using var pool = await Start();
        for (var round = 0; round < rounds; round++)
        {
            var task = pool.RunAsync(Mutate, seed + round);
            var bystander = pool.RunAsync(static number => new Twice(number, number * 2), round);
            try
            {
                await task.Within(20);
            }
            catch (Exception error) when (error is not TimeoutException)
            {
                // whatever it was, it is its own
            }

            try
            {
                // A worker that has lost its senses can lie about any call that it holds, and if this is the next one of the same worker, by
                // chance too; but not about a type that no frame of the other task names: then it says null.
                Assert.Equal(new Twice(round, round * 2), await bystander.Within(20) ?? new(round, round * 2));
            }
            catch (ProcessLostException lost)
            {
                // It was the next one of the same worker, before the end of that.
                Assert.Equal(ExitCause.Lost, lost.Exit.Cause);
            }
        }

        await StillWorks(pool);
    }

    sealed record Twice(int Number, int Result);

    /// <summary>Sends one damaged result for itself.</summary>
    static int Mutate(int seed)
    {
        var memory = Field<WorkerMemory>(WorkerProgram.Current!, "_memory");
        var random = new Random(seed);
        Send(memory.Results, Damage(Result((byte)memory.RunningSlot, Frames.Sample()), random));
        return 1;
    }

    [Fact]
    public void Mutated_frames_are_refused_or_taken_and_do_no_harm_to_the_parent()
    {
        var count = Limits.Long ? 1_000_000 : 20_000;
        var seed = Seed();
        var random = new Random(seed);
        var memory = WorkerMemory.Create();
        var (refused, taken) = (0, 0);
        var frames = Frames.OfWorkers();
        ParentSide? parent = null;
        for (var i = 0; i < count; i++)
        {
            parent ??= new(memory);
            try
            {
                parent.Take(Damage(frames[random.Next(frames.Length)], random));
                taken++;
            }
            catch (Exception error) when (error is InvalidDataException or ModuleVersionException)
            {
                refused++;
                parent = null;   // as the connection would be
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"frame {i} of SKEIN_TEST_SEED={seed}: {error}");
            }
        }

        memory.GiveBack();
        output.WriteLine($"{refused} refused, {taken} taken");
        Assert.InRange(refused, count / 10, count);
        Assert.InRange(taken, 1, count);
    }

    [Fact]
    public void A_fault_whose_causes_go_in_a_circle_is_refused()
    {
        var fault = new FaultRecord { Type = "Fault" };
        fault.Inner = new() { Type = "Cause", Inner = fault };
        Assert.Throws<InvalidDataException>(fault.ToException);
    }

    [Fact]
    public void Mutated_frames_are_refused_or_read_by_a_worker()
    {
        var count = Limits.Long ? 1_000_000 : 20_000;
        var seed = Seed();
        var random = new Random(seed);
        var frames = Frames.OfParents();
        var (refused, read) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            var reader = new GraphReader(new());
            var frame = Damage(frames[random.Next(frames.Length)], random);
            try
            {
                // As WorkerProgram.Read does; what was read is not executed: a damaged call may be a good call of another function.
                reader.Begin(frame, Math.Min(2, frame.Length), Math.Max(0, frame.Length - 2));
                _ = reader.ReadText();
                _ = reader.Read<Job>();
                reader.End();
                read++;
            }
            catch (Exception error) when (error is InvalidDataException or ModuleVersionException)
            {
                refused++;
            }
            catch (Exception error)
            {
                Assert.Fail($"frame {i} of SKEIN_TEST_SEED={seed}: {error}");
            }
        }

        output.WriteLine($"{refused} refused, {read} read");
        Assert.InRange(refused, count / 10, count);
        Assert.InRange(read, 1, count);
    }

    [Fact]
    public unsafe void A_ring_whose_every_word_may_lie_is_read_within_its_bounds()
    {
        const int Capacity = 4096;
        var count = Limits.Long ? 1_000_000 : 20_000;
        var seed = Seed();
        var random = new Random(seed);
        using var region = MemoryRegion.Create("damaged", Ring.Size(Capacity));
        var (refused, read) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            new Span<byte>(region.Pointer, (int)Ring.Size(Capacity)).Clear();
            var writer = new Ring(region.Pointer, Capacity);
            var receiver = new RingReceiver(new Ring(region.Pointer, Capacity));
            for (var message = random.Next(1, 6); message > 0; message--)
                Send(writer, new byte[random.Next(1, 200)]);
            for (var damage = random.Next(1, 4); damage > 0; damage--)
                region.Pointer[random.Next(3) == 0 ? random.Next(8) : 4096 + random.Next(400)] = (byte)random.Next(256);
            try
            {
                for (var messages = 0; messages < 1000 && receiver.TryReceive(out var message); messages++)
                    Assert.InRange(message.Count, 0, 1 << 30);
                read++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        output.WriteLine($"{refused} refused, {read} read");
        Assert.InRange(refused, count / 100, count);
    }

    int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("SKEIN_TEST_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1 << 30);
        output.WriteLine($"SKEIN_TEST_SEED={seed}");
        return seed;
    }

    static T Field<T>(object of, string name) => (T)of.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(of)!;

    static byte[] Damage(byte[] original, Random random)
    {
        var bytes = new List<byte>(original);
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(random.Next(2) == 0 ? bytes.Count : Math.Min(8, bytes.Count));
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = (byte)random.Next(6); break;
                case 3: bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 9)).Select(_ => (byte)random.Next(256))); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }

        return [.. bytes];
    }

    /// <summary>The receiving half of <see cref="OsProcessWorker"/>, without a process: frames are given to it by hand.</summary>
    sealed class ParentSide
    {
        readonly OsProcessWorker _worker;

        public ParentSide(WorkerMemory memory)
        {
            var (here, there) = DescriptorSocket.Pair();
            there.Dispose();
            var control = new WorkerControl(here);
            control.Dispose();
            _worker = Worker("damaged", null!, memory, control, null!, null!, null);
            References(_worker).Add(new ProgressTarget<int>(new Progress<int>()));
            for (var slot = 0; slot < 4; slot++)
                Items(_worker)[slot] = slot % 2 == 0 ? new WorkItem<Frames.Node>(new SyncJob<Frames.Node>(Frames.Sample)) { Slot = slot } : new WorkItem<int>(new SyncJob<int>(static () => 1)) { Slot = slot };
        }

        public void Take(byte[] frame)
        {
            if (frame is [(byte)WorkerFrame.Ready or (byte)WorkerFrame.Callback, ..])
                return;   // the first would end a process; the second answers later
            Taking(_worker, frame);
        }

        [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
        static extern OsProcessWorker Worker(string id, IWorkerOwner owner, WorkerMemory memory, WorkerControl control, ChildProcess child, WorkerOutput output, MemoryLimit? limit);

        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_items")]
        static extern ref WorkItem?[] Items(OsProcessWorker worker);

        [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_References")]
        static extern ParentReferences References(ProcessWorker worker);

        [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Take")]
        static extern bool Taking(ProcessWorker worker, ArraySegment<byte> message);
    }

    static class Frames
    {
        public sealed record Node(string Name, int[] Numbers, List<object?> Others);

        public static Node Sample() => new("name", [1, 2, 3], ["text", 5, new Node("inner", [], []), null, DateTime.UnixEpoch, new Dictionary<string, long> { ["a"] = 1 }]);

        public static byte[][] OfWorkers() =>
        [
            Result(0, Sample()), Result(1, 77), Result(2, Sample()), Result(3, 5),
            Frame(WorkerFrame.Fault, 0, FaultRecord.Of(Thrown())), Frame(WorkerFrame.Fault, 1, FaultRecord.Of(Thrown())), Frame(WorkerFrame.Progress, 1, 5),
        ];

        public static byte[][] OfParents() =>
        [
            Call(new SyncJob<Node, int>(static node => node.Numbers.Length, Sample())), Call(new SyncJob<int>(static () => 1)),
            Call(new SyncChunkJob<int, int>(static n => n, [1, 2, 3])), Call(new TaskJob<Node>(static async () => { await Task.Yield(); return Sample(); })),
        ];

        static byte[] Call(Job job)
        {
            var writer = new GraphWriter(new());
            writer.Begin();
            writer.WriteByte((byte)WorkerFrame.Call);
            writer.WriteByte(3);
            writer.WriteText("");
            writer.Write(job);
            return writer.Written.ToArray();
        }

        static byte[] Frame<T>(WorkerFrame kind, int number, T value)
        {
            var bytes = Result((byte)number, value);
            bytes[0] = (byte)kind;
            return bytes;
        }

        static InvalidOperationException Thrown()
        {
            try
            {
                throw new InvalidOperationException("message", new FormatException("inner"));
            }
            catch (InvalidOperationException error)
            {
                return error;
            }
        }
    }
}
