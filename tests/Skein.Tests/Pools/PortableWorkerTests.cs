using System.Diagnostics;
using System.IO.Pipes;
using System.Reflection;
using System.Runtime.Versioning;

namespace Skein.Tests.Pools;

// Pools over the place that uses nothing of a particular operating system.
public class PortableWorkerTests
{
    static readonly Place Portable = new PortableProcessPlace();

    static Task<WorkerPool> Start(PoolOptions? options = null) => WorkerPool.StartAsync(Portable, (options ?? new() { Workers = 2 }) with { OnError = static _ => { } }).Within(30);

    static async Task StillWorks(WorkerPool pool) =>
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(n => pool.RunAsync(static number => number, n))).Within(20));

    static async Task<ProcessLostException> Lost(Task task) => await Assert.ThrowsAsync<ProcessLostException>(() => task.Within(20));

    static void KillSelf() => Process.GetCurrentProcess().Kill();

    [Fact]
    public async Task A_worker_that_is_killed_costs_only_its_own_task()
    {
        await using var pool = await Start();
        var other = pool.RunAsync(static async () => { await Task.Delay(TimeSpan.FromMilliseconds(300)); return 5; });
        var lost = await Lost(pool.RunAsync(static () => { KillSelf(); return 1; }));
        Assert.Equal((ExitCause.Signalled, 9), (lost.Exit.Cause, lost.Exit.Signal));
        Assert.Equal(5, await other.Within());
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_it_idles_is_replaced_and_costs_nothing()
    {
        await using var pool = await Start();
        foreach (var process in pool.WorkerProcessIds)
            Process.GetProcessById(process).Kill();
        await StillWorks(pool);
        await Limits.Until(() => pool.WorkerCount == 2, "two workers again");
    }

    [Fact]
    public async Task A_worker_that_exits_or_breaks_down_says_how()
    {
        await using var pool = await Start();
        var exited = await Lost(pool.RunAsync(Functions.ExitWith, 3));
        Assert.Equal((ExitCause.Returned, 3), (exited.Exit.Cause, exited.Exit.Code));
        var failed = await Lost(pool.RunAsync(static () => Environment.FailFast("enough")));
        Assert.Contains("enough", failed.Message, StringComparison.Ordinal);
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_worker_that_ends_before_it_connects_says_how()
    {
        // The runtime ends with 137 when it has no heap, which an operating system with signals takes for one.
        var failed = await Assert.ThrowsAsync<PlaceException>(() => Start(new() { Workers = 1, Environment = new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "1" } }));
        Assert.Contains("137", failed.Message.Replace("signal 9", "137", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("cannot be read", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pool_that_is_disposed_of_stops_a_task_that_was_only_just_sent()
    {
        for (var round = 0; round < 5; round++)
        {
            var pool = await Start(new() { Workers = 1, Grace = Timeout.InfiniteTimeSpan });
            var sent = pool.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping));
            await pool.DisposeAsync().AsTask().Within();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => sent.Within());
        }
    }

    [Fact]
    public async Task A_crash_in_a_chunk_costs_the_input_that_ran_and_no_other()
    {
        await using var pool = await Start();
        List<int> failed = [], succeeded = [];
        await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 200), static n =>
        {
            if (n is 57 or 190)
                KillSelf();
            return n;
        }, new() { ChunkSize = 50 }))
        {
            if (outcome.Succeeded)
                succeeded.Add(outcome.Value);
            else
                failed.Add(outcome.Input);
        }

        Assert.Equal([57, 190], failed);
        Assert.Equal(Enumerable.Range(0, 200).Where(n => n is not (57 or 190)), succeeded);
    }

    [Fact]
    public async Task A_task_that_takes_too_long_is_asked_and_then_killed()
    {
        await using (var patient = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(10) }))
        {
            var before = patient.WorkerProcessIds;
            await Assert.ThrowsAsync<TimeoutException>(() => patient.RunAsync(static async () => await Task.Delay(Timeout.Infinite, Here.Stopping)).Within());
            Assert.Equal(before, patient.WorkerProcessIds);   // it listened
        }

        await using var pool = await Start(new() { Workers = 1, TaskTimeout = TimeSpan.FromMilliseconds(200), Grace = Limits.Seconds(0.25) });
        var deaf = pool.WorkerProcessIds;
        await Assert.ThrowsAsync<TimeoutException>(() => pool.RunAsync(static () => { while (true) { } }).Within());
        await StillWorks(pool);
        Assert.NotEqual(deaf, pool.WorkerProcessIds);
    }

    [Fact]
    public async Task Progress_callbacks_and_tokens_reach_across()
    {
        await using var pool = await Start(new() { Workers = 1 });
        using var source = new CancellationTokenSource();
        var token = source.Token;
        var reported = new TaskCompletionSource<int>();
        var ask = Callback.To((int number) => number + 1);
        var task = pool.RunAsync(async (IProgress<int> report, Callback<int, int> ask) =>
        {
            report.Report(await ask.InvokeAsync(41));
            await Task.Delay(Timeout.Infinite, token);
        }, new Reported(reported), ask);
        Assert.Equal(42, await reported.Task.Within());
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within());
        await StillWorks(pool);
        Assert.Equal(1, pool.StartedWorkers);
    }

    [Fact]
    public async Task Large_arguments_and_results_cross_at_once_in_both_directions()
    {
        await using var pool = await Start();
        var bytes = new byte[20_000_000];
        new Random(7).NextBytes(bytes);
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => pool.RunAsync(static given => given, bytes))).Within(60);
        Assert.All(results, result => Assert.True(result.AsSpan().SequenceEqual(bytes)));
    }

    [Fact]
    public async Task What_needs_shared_memory_or_descriptors_is_refused_and_stays_usable()
    {
        await using var pool = await Start(new() { Workers = 1 });
        using var lease = Lease.Rent(100);
        var refused = await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(static lease => lease.Length, lease).Within());
        Assert.Contains("array", refused.Message, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
        {
            await using var channel = ProcessChannel.Create<int>(ChannelKind.Pipe);
            await Assert.ThrowsAsync<CannotTravelException>(() => pool.RunAsync(static async writer => await writer.WriteAsync(1), channel.Writer).Within());
            await channel.Writer.WriteAsync(5);
            Assert.Equal(5, await channel.Reader.ReadAsync().Within());
        }

        await StillWorks(pool);
        Assert.Equal(1, pool.StartedWorkers);
    }

    [Fact]
    public async Task A_process_that_takes_more_memory_than_it_may_is_killed_for_it()
    {
        var process = await Portable.StartAsync(static () => Functions.TakeNative(600 << 20) + Functions.NativeSleep(600), new() { MemoryLimit = 256 << 20 }).Within();
        Assert.Equal(MemoryLimitKind.HeapLimitAndWatch, process.MemoryLimitKind);
        Assert.Equal(ExitCause.OutOfMemory, (await process.Exited.Within(20)).Cause);
        await Assert.ThrowsAsync<ProcessLostException>(() => process.Completion.Within());
    }

    [Fact]
    public async Task Folder_environment_priority_and_output_are_those_that_were_asked_for()
    {
        var lines = new List<string>();
        using var folder = new TemporaryFolder();
        await using var process = await Portable.StartAsync(static () =>
        {
            Console.WriteLine(Environment.GetEnvironmentVariable("SKEIN_WORKER") ?? "no secret");
            using var self = Process.GetCurrentProcess();
            return $"{Environment.CurrentDirectory} {Environment.GetEnvironmentVariable("COLOUR")} {self.PriorityClass} {Console.In.ReadToEnd().Length}";
        }, new() { WorkingDirectory = folder.Path, Environment = new Dictionary<string, string> { ["COLOUR"] = "blue" }, Niceness = 19, OnOutput = line => { lock (lines) lines.Add(line); } }).Within();
        Assert.Equal($"{folder.Path} blue Idle 0", await process.Completion.Within());
        await process.Exited.Within();
        Assert.Equal(["no secret"], lines);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task A_worker_is_kept_to_its_processors()
    {
        await using var pool = await Start(new() { Workers = 1, Processors = [0] });
        Assert.Equal("0", await pool.RunAsync(static () => File.ReadLines("/proc/self/status").Single(static line => line.StartsWith("Cpus_allowed_list", StringComparison.Ordinal)).Split('\t')[1]).Within());
    }

    [Fact]
    public async Task A_handler_of_lines_that_throws_fails_the_task_that_printed_them()
    {
        await using var pool = await WorkerPool.StartAsync(Portable, new() { Workers = 1, OnOutput = static line => throw new FormatException(line) }).Within(30);
        var printing = pool.RunAsync(static async () =>
        {
            Console.WriteLine("y");
            await Task.Delay(Timeout.Infinite, Here.Stopping);
        });
        Assert.Equal("y", (await Assert.ThrowsAsync<FormatException>(() => printing.Within())).Message);
        await StillWorks(pool);
    }

    [Fact]
    public async Task A_pool_inside_of_a_worker_works()
    {
        await using var pool = await Start();
        var sums = await Task.WhenAll(Enumerable.Range(1, 2).Select(n => pool.RunAsync(Functions.SumInPool, n))).Within(60);
        Assert.Equal([55, 110], sums);
        Assert.Equal(6, await pool.RunAsync(static async () =>
        {
            await using var inner = await WorkerPool.StartAsync(new PortableProcessPlace(), new() { Workers = 1 });
            return await inner.RunAsync(static n => n * 2, 3);
        }).Within(60));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [SupportedOSPlatform("linux")]
    public async Task A_worker_that_idles_gives_back_the_memory_that_its_tasks_have_left(bool portable)
    {
        await using var pool = await WorkerPool.StartAsync(portable ? Portable : Place.OsProcess, new() { Workers = 1 }).Within(30);
        Assert.Equal(1000, await pool.RunAsync(static () => Enumerable.Range(0, 1000).Select(static _ => { var page = new byte[100_000]; Array.Fill(page, (byte)1); return page; }).ToList().Count).Within());
        var worker = pool.WorkerProcessIds[0];
        await Limits.Until(() => ProcessUse.ResidentBytes(worker) < 75_000_000, () => $"less than 75 MB; it has {ProcessUse.ResidentBytes(worker):N0} bytes");
        await StillWorks(pool);
        Assert.Equal(worker, pool.WorkerProcessIds[0]);
    }

    // By the time at which somebody asks a call to stop, the next one may run.
    [Fact]
    public async Task A_stop_that_comes_too_late_for_its_call_does_not_stop_the_next()
    {
        var worker = StreamWorker.Start("late", new Nobody(), new());
        await worker.Ready.Within(30);
        var first = new WorkItem<int>(new SyncJob<int>(static () => 1));
        Assert.True(worker.Submit(first));
        Assert.Equal(1, await first.Completion.Within());
        await Limits.Until(() => worker.Held == 0, "the worker's room");
        var next = new WorkItem<bool>(new SyncJob<bool>(static () => Here.Stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(0.5))));
        Assert.True(worker.Submit(next));
        await Limits.Until(() => worker.Running is not null || next.Completion.IsCompleted, "the call's start");
        var control = (ControlSender)typeof(StreamWorker).GetField("_control", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(worker)!;
        control.Send(WorkerFrame.StopCall, first.Slot);
        Assert.False(await next.Completion.Within());

        await Limits.Until(() => worker.Held == 0, "the worker's room");
        var last = new WorkItem<bool>(new SyncJob<bool>(static () => Here.Stopping.WaitHandle.WaitOne(TimeSpan.FromMinutes(2))));
        Assert.True(worker.Submit(last));
        await Limits.Until(() => worker.Running is not null, "the call's start");
        worker.AskToStop(last);
        Assert.True(await last.Completion.Within());
        worker.Kill(ExitCause.Killed);
        await worker.Exited.Within();
    }

    sealed class Nobody : IWorkerOwner
    {
        public void OnRoom(Worker worker) { }

        public void OnHandlerFailed(Worker worker, Exception error) { }

        public void OnEnded(Worker worker, Exit exit, IReadOnlyList<WorkItem> victims, IReadOnlyList<WorkItem> unstarted) { }
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Nothing_that_a_worker_has_started_survives_it_nor_its_parent()
    {
        using var parent = Process.Start(new ProcessStartInfo(Programs.ChildProgram, ["portable-parent"]) { RedirectStandardOutput = true })!;
        int[] all = [.. await Family(parent), .. await Family(parent)];
        Assert.All(all, id => Assert.True(IsAlive(id)));
        parent.Kill();
        await Limits.Until(() => !all.Any(IsAlive), $"the end of all processes of {string.Join(' ', all)}", 2);

        await using var pool = await Start(new() { Workers = 1 });
        var child = new TaskCompletionSource<int>();
        await Lost(pool.RunAsync(static report => { report.Report(Process.Start("sleep", "1000").Id); KillSelf(); }, (IProgress<int>)new Reported(child)));
        var left = await child.Task.Within();
        await Limits.Until(() => !IsAlive(left), "the end of a crashed worker's child", 2);
    }

    [Fact]
    public async Task A_stranger_who_does_not_know_the_secret_gets_nothing()
    {
        using var pipe = new WorkerPipe();
        var accepting = pipe.AcceptAsync(CancellationToken.None);
        await using (var stranger = new NamedPipeClientStream(".", pipe.Name, PipeDirection.InOut, PipeOptions.Asynchronous))
        {
            await stranger.ConnectAsync().Within();
            await stranger.WriteAsync(new byte[32]);
            Assert.Equal(0, await stranger.ReadAsync(new byte[1]).Within());
        }

        Assert.False(accepting.IsCompleted);
        await using var worker = await Task.Run(() => WorkerPipe.Connect(pipe.Name, pipe.Secret)).Within();
        var connection = await accepting.Within();
        await connection.WriteAsync(new byte[] { 7 });
        Assert.Equal(7, await Task.Run(worker.ReadByte).Within());
        Assert.True(OperatingSystem.IsWindows() || !File.Exists(pipe.Name));
    }

    [Theory]
    [InlineData("no frame")]
    [InlineData("another kind of frame")]
    [InlineData("empty")]
    [InlineData("no such call")]
    [InlineData("truncated")]
    public async Task A_worker_that_sends_nonsense_is_replaced_and_only_its_task_is_lost(string nonsense)
    {
        await using var pool = await Start();
        var other = pool.RunAsync(static async () => { await Task.Delay(TimeSpan.FromMilliseconds(200)); return 5; });
        var lost = await Lost(pool.RunAsync(Misbehave, nonsense));
        Assert.Equal(ExitCause.Lost, lost.Exit.Cause);
        Assert.Contains("cannot be read", lost.Message, StringComparison.Ordinal);
        Assert.Equal(5, await other.Within());
        await StillWorks(pool);
    }

    static void Misbehave(string how)
    {
        const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;
        var frames = (FrameStream)typeof(StreamProgram).GetField("_frames", Hidden)!.GetValue(WorkerProgram.Current)!;
        var stream = frames.GetType().GetFields(Hidden).Select(field => field.GetValue(frames)).OfType<Stream>().First();
        switch (how)
        {
            case "no frame": stream.Write(new byte[100]); break;
            case "another kind of frame": frames.Write(FrameKind.Call, 0, [1, 2, 3]); break;
            case "empty": frames.Write(FrameKind.Message, 0, []); break;
            case "no such call": frames.Write(FrameKind.Message, 0, [(byte)WorkerFrame.Result, 99, 0, 1]); break;
            default: frames.Write(FrameKind.Message, 0, [(byte)WorkerFrame.Item, 1]); break;
        }

        Thread.Sleep(Timeout.Infinite);
    }

    static Task<int[]> Family(Process parent) =>
        Task.Run(() => parent.StandardOutput.ReadLine()!.Split(' ').Select(number => int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray()).Within(20);

    [SupportedOSPlatform("linux")]
    static bool IsAlive(int id) => ProcessStatus.Read(id) is { IsDead: false };

    sealed class Reported(TaskCompletionSource<int> first) : IProgress<int>
    {
        public void Report(int value) => first.TrySetResult(value);
    }

    sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("portable-").FullName;

        public void Dispose() => Directory.Delete(Path);
    }
}
