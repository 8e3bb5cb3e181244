using Skein.Tests.Cli;

namespace Skein.Tests.Conformance;

/// <summary>What a place can do that not all can.</summary>
[Flags]
public enum PlaceCan
{
    /// <summary>Ask a process to stop, and no more.</summary>
    OnlyAsk = 0,

    /// <summary>Keep what a process changes from its caller.</summary>
    Copy = 1,

    /// <summary>End a process that does not listen.</summary>
    Kill = 2,

    /// <summary>Let a process use what stays with its caller: tokens, progress, callbacks.</summary>
    Refer = 4,

    /// <summary>Give each process an operating-system process of its own, which is gone afterwards and whose use is known.</summary>
    Own = 8,
}

// What every place must do. A new place joins by one line at the end.
public abstract class PlaceCases(Place place, PlaceCan can)
{
    protected Place Place => place;

    [Fact]
    public async Task A_process_ends_with_the_result_of_its_function()
    {
        await using var process = await place.StartAsync(static () => 6 * 7).Within();
        Assert.Equal(42, await process.Completion.Within());
        Assert.Equal(0, (await process.Exited.Within()).Code);
        Assert.Equal(ProcessState.Exited, process.State);
    }

    [Fact]
    public async Task Every_shape_of_function_runs()
    {
        var offset = 1;
        Assert.Equal(3, await Result(place.StartAsync((int a, int b) => a + b, 1, 2)));
        Assert.Equal(5, await Result(place.StartAsync(Functions.Double, 2.5)));
        Assert.Equal("x1", await Result(place.StartAsync(async (string text) => { await Task.Yield(); return text + offset; }, "x")));
        Assert.Equal(4, await Result(place.StartAsync(Functions.TwiceLater, 2)));
        Assert.Equal(9, await Result(place.StartAsync(Functions.SquareLater, 3)));
        Assert.Equal("Int32", await Result(place.StartAsync(Functions.NameOf<int>)));
        Assert.Equal(default, await Result(place.StartAsync(() => { })));
        Assert.Equal(default, await Result(place.StartAsync(async () => await Task.Yield())));
        Assert.Equal(default, await Result(place.StartAsync(static (List<int> list) => list.Clear(), new List<int> { 1 })));
        var doubled = await Result(place.StartAsync(static (int[] all) => all.Select(each => each * 2).ToArray(), new[] { 1, 2, 3 }));
        Assert.Equal([2, 4, 6], doubled);
    }

    [Fact]
    public async Task A_function_that_throws_fails_with_what_it_threw_and_where()
    {
        await using var process = await place.StartAsync(Functions.Throw).Within();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => process.Completion.Within());
        Assert.Equal("thrown on purpose", error.Message);
        Assert.Contains(nameof(Functions.Throw), error.StackTrace, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Captured_variables_and_arguments_are_copied_where_memory_is_not_shared()
    {
        var list = new List<int>();
        await using var process = await place.StartAsync(() => { list.Add(1); return list.Count; }).Within();
        Assert.Equal(1, await process.Completion.Within());
        Assert.Equal(can.HasFlag(PlaceCan.Copy) ? 0 : 1, list.Count);
    }

    [Fact]
    public async Task A_process_that_listens_stops_when_it_is_asked()
    {
        await using var process = await place.StartAsync(static async () =>
        {
            await Task.Delay(Timeout.Infinite, Here.Stopping);
        }).Within();
        await process.StopAsync(Limits.Seconds(5)).Within(20);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
    }

    [Fact]
    public async Task A_token_that_is_passed_is_cancelled_there()
    {
        using var source = new CancellationTokenSource();
        var token = source.Token;
        if (await RefusesAsync(() => place.StartAsync(() => token.IsCancellationRequested)))
            return;
        await using var process = await place.StartAsync(async () => { await Task.Delay(Timeout.Infinite, token); return 1; }).Within();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
    }

    [Fact]
    public async Task Progress_is_reported_in_order()
    {
        var seen = new List<int>();
        var progress = new InOrder<int>(seen.Add);
        if (await RefusesAsync(() => place.StartAsync(static (IProgress<int> report) => report.Report(1), (IProgress<int>)progress)))
            return;
        await using var process = await place.StartAsync(static (IProgress<int> report) =>
        {
            for (var i = 0; i < 100; i++)
                report.Report(i);
        }, progress).Within();
        await process.Completion.Within();
        await Limits.Until(() => seen.Count == 100, "100 reports");
        Assert.Equal(Enumerable.Range(0, 100), seen);
    }

    [Fact]
    public async Task A_process_can_call_its_caller_back()
    {
        var asked = new List<string>();
        var callback = Callback.To((string question) => { asked.Add(question); return question.Length; });
        if (await RefusesAsync(() => place.StartAsync(static (Callback<string, int> ask) => ask.GetHashCode(), callback)))
            return;
        await using var process = await place.StartAsync(static async (Callback<string, int> ask) =>
            await ask.InvokeAsync("one") + await ask.InvokeAsync("three"), callback).Within();
        Assert.Equal(8, await process.Completion.Within());
        Assert.Equal(["one", "three"], asked);
    }

    [Fact]
    public async Task Callbacks_are_answered_each_with_its_own_answer_in_whatever_order()
    {
        var third = new TaskCompletionSource();
        var callback = Callback.To(async (string question) =>
        {
            if (question == "first")
                await third.Task;
            if (question == "third")
                third.SetResult();
            return $"{question} answered";
        });
        if (await RefusesAsync(() => place.StartAsync(static (Callback<string, string> ask) => ask.GetHashCode(), callback)))
            return;
        await using var process = await place.StartAsync(static async (Callback<string, string> ask) =>
        {
            var first = ask.InvokeAsync("first");
            var second = await ask.InvokeAsync("second");
            await ask.InvokeAsync("third");
            return new[] { await first, second };
        }, callback).Within();
        Assert.Equal(["first answered", "second answered"], await process.Completion.Within());
    }

    [Fact]
    public async Task A_callback_that_throws_throws_in_the_process()
    {
        var callback = Callback.To<int, int>(static number => throw new FormatException($"not {number}"));
        if (await RefusesAsync(() => place.StartAsync(static (Callback<int, int> ask) => ask.GetHashCode(), callback)))
            return;
        await using var process = await place.StartAsync(static async (Callback<int, int> ask) =>
        {
            try
            {
                return $"{await ask.InvokeAsync(3)}";
            }
            catch (FormatException error)
            {
                return error.Message;
            }
        }, callback).Within();
        Assert.Equal("not 3", await process.Completion.Within());
    }

    [Fact]
    public async Task A_process_that_does_not_listen_is_killed_or_the_place_says_that_it_cannot()
    {
        var process = await place.StartAsync(static (int seconds) => Thread.Sleep(TimeSpan.FromSeconds(seconds)), 2).Within();
        if (can.HasFlag(PlaceCan.Kill))
        {
            await process.StopAsync(TimeSpan.FromMilliseconds(50)).Within();
            var lost = await Assert.ThrowsAsync<ProcessLostException>(() => process.Completion.Within());
            Assert.Equal(ExitCause.Killed, lost.Exit.Cause);
            Assert.Equal(!can.HasFlag(PlaceCan.Own), Directory.Exists($"/proc/{process.OsProcessId}"));
        }
        else
        {
            await Assert.ThrowsAsync<PlaceException>(() => process.StopAsync(TimeSpan.FromMilliseconds(50)).Within());
            Assert.Throws<PlaceException>(process.Kill);
            await process.Completion.Within();
        }
    }

    [Fact]
    public async Task Reports_and_arguments_of_callbacks_keep_their_keys()
    {
        var reported = new TaskCompletionSource<HashSet<Key>>();
        var progress = new InOrder<HashSet<Key>>(reported.SetResult);
        if (await RefusesAsync(() => place.StartAsync(static (IProgress<HashSet<Key>> report) => report.Report([]), (IProgress<HashSet<Key>>)progress)))
            return;
        var sum = Callback.To((Dictionary<Key, int> numbers) => numbers.Sum(pair => pair.Key.Name == "c" ? pair.Value : 0));
        await using var process = await place.StartAsync(static async (IProgress<HashSet<Key>> report, Callback<Dictionary<Key, int>, int> ask) =>
        {
            report.Report([new("a"), new("b")]);
            return await ask.InvokeAsync(new() { [new("c")] = 5 });
        }, (IProgress<HashSet<Key>>)progress, sum).Within();
        Assert.Equal(5, await process.Completion.Within());
        Assert.True((await reported.Task.Within()).SetEquals([new("a"), new("b")]));
    }

    internal sealed record Key(string Name);

    [Fact]
    public async Task Exit_says_what_a_process_used()
    {
        await using var process = await place.StartAsync(static () => Functions.UseProcessor(0.2)).Within();
        await process.Completion.Within();
        var exit = await process.Exited.Within();
        if (can.HasFlag(PlaceCan.Own))
            Assert.InRange(exit.Use.UserTime + exit.Use.SystemTime, TimeSpan.FromSeconds(0.1), Limits.Seconds(10));
        else
            Assert.Equal(default, exit.Use);   // a thread's use is its process's
    }

    [Fact]
    public async Task A_mobile_function_runs_with_its_result_or_fails_with_what_it_threw()
    {
        Assert.Equal("ab", await Result(place.StartAsync(Functions.Join, new[] { "a", "b" })));
        await using var failing = await place.StartAsync(static () => Functions.ThrowLater("on purpose")).Within();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => failing.Completion.Within());
        Assert.Equal("thrown on purpose", error.Message);
        Assert.Contains(nameof(Functions.ThrowLater), error.StackTrace, StringComparison.Ordinal);
        await using var listening = await place.StartAsync(static () => Functions.UntilStopped()).Within();
        await listening.StopAsync(Limits.Seconds(5)).Within(20);
        await listening.Completion.Within();
    }

    [Fact]
    public async Task A_mobile_function_that_takes_longer_than_its_time_limit_is_asked_to_stop()
    {
        await using var process = await place.StartAsync(static () => Functions.UntilStopped(), new() { TimeLimit = TimeSpan.FromMilliseconds(50), Grace = Limits.Seconds(5) }).Within();
        Assert.True(await process.Completion.Within(20));
    }

    /// <summary>A place that cannot refer to what stays with its caller says so before anything starts.</summary>
    async Task<bool> RefusesAsync<T>(Func<Task<Process<T>>> start)
    {
        if (can.HasFlag(PlaceCan.Refer))
            return false;
        await Assert.ThrowsAsync<CannotTravelException>(() => start().Within());
        return true;
    }

    Task<bool> RefusesAsync(Func<Task<Process<Nothing>>> start) => RefusesAsync<Nothing>(start);

    static async Task<T> Result<T>(Task<Process<T>> starting)
    {
        await using var process = await starting.Within();
        return await process.Completion.Within();
    }

    /// <summary>Reports on the thread that reports: Progress of the framework gives no order.</summary>
    sealed class InOrder<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}

static class Functions
{
    public static double Double(double number) => number * 2;

    public static async Task<int> TwiceLater(int number)
    {
        await Task.Yield();
        return number * 2;
    }

    public static async ValueTask<int> SquareLater(int number)
    {
        await Task.Yield();
        return number * number;
    }

    public static async Mobile<string> Join(string[] parts)
    {
        var all = "";
        foreach (var part in parts)
        {
            await Here.Yield();
            all += part;
        }
        return all;
    }

    public static async Mobile<int> ThrowLater(string why)
    {
        await Here.Yield();
        throw new InvalidOperationException($"thrown {why}");
    }

    public static async Mobile<bool> UntilStopped()
    {
        while (!Here.Stopping.IsCancellationRequested)
            await Here.Delay(TimeSpan.FromMilliseconds(1));
        return true;
    }

    public static string NameOf<T>() => typeof(T).Name;

    public static int Throw() => throw new InvalidOperationException("thrown on purpose");

    /// <summary>Goes on until this process has used so much more of a processor, however long others have it.</summary>
    public static void UseProcessor(double seconds)
    {
        var before = Environment.CpuUsage.TotalTime;
        while (Environment.CpuUsage.TotalTime - before < TimeSpan.FromSeconds(seconds))
        {
            // burns a processor
        }
    }

    public static void Spin(double seconds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(seconds))
        {
            // burns a processor
        }
    }
}

public class In_a_thread() : PlaceCases(Place.Thread, PlaceCan.Refer);

public class In_an_operating_system_process() : PlaceCases(Place.OsProcess, PlaceCan.Copy | PlaceCan.Kill | PlaceCan.Refer | PlaceCan.Own);

public class In_a_portable_operating_system_process() : PlaceCases(new PortableProcessPlace(), PlaceCan.Copy | PlaceCan.Kill | PlaceCan.Refer | PlaceCan.Own);

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class At_a_node : PlaceCases, IAsyncLifetime
{
    readonly ScratchFolder _folder;
    ClusterNode? _node;

    public At_a_node() : this(new()) { }

    At_a_node(ScratchFolder folder) : base(Place.Node("a", folder["nodes"]), PlaceCan.Copy | PlaceCan.Kill) => _folder = folder;

    public async ValueTask InitializeAsync() => _node = await ClusterNode.StartAsync("a", new() { Folder = _folder["nodes"] }).Within();

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        _folder.Dispose();
    }
}
