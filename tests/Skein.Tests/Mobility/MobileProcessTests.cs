namespace Skein.Tests.Mobility;

/// <summary>Turns, concurrent calls, timers, mailboxes: what a process is, wherever it is.</summary>
public class MobileProcessTests
{
    readonly MobileNode _a, _b;
    readonly ManualTime _time = new();

    public MobileProcessTests()
    {
        (_a, _b) = (new("a", _time), new("b", _time));
        _a.Connect(_b);
    }

    [Fact]
    public async Task Concurrent_calls_travel_together_wherever_each_of_them_waits()
    {
        static async Mobile<string> Sleep()
        {
            await Here.Delay(TimeSpan.FromMinutes(5));
            return $"slept {Here.Node}";
        }

        static async Mobile<string> Listen() => $"{await Here.Receive<string>()} {Here.Node}";

        static async Mobile<string> Watch() => $"{await Here.Event<int>("go")} {Here.Node}";

        static async Mobile<string> Move()
        {
            await Here.MoveTo("b");
            return $"moved {Here.Node}";
        }

        var process = _a.Start(static async () => string.Join(", ", await Mobile.WhenAll(Sleep(), Listen(), Watch(), Move())));
        await Limits.Until(() => process.Node == "b" && _time.Alarms == 1, "the process to move with its timer");
        Assert.Equal(0, _a.Count);
        process.Raise("go", 7);
        process.Send("letter");
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("slept b, letter b, 7 b, moved b", await process.Completion.Within());
        Assert.Equal(0, _time.Alarms);
    }

    [Fact]
    public async Task A_call_that_many_have_waited_for_does_not_remember_them()
    {
        var through = new TaskCompletionSource();
        _a.Provide("through", through);
        var process = _a.Start(static async () =>
        {
            static async Mobile Stop() => await Here.Event<bool>("stop");

            static async Mobile Others() => await Here.Yield();

            var stop = Stop();
            await Here.Event<bool>("go");
            for (var i = 0; i < 1000; i++)
                Assert.Equal(1, await Mobile.WhenAny(stop, Others()));
            Here.Resource<TaskCompletionSource>("through").SetResult();
            await stop;
        });
        await ImageStaysSmall(process, through.Task);
    }

    [Fact]
    public async Task A_mailbox_that_was_flooded_does_not_keep_the_room()
    {
        var through = new TaskCompletionSource();
        _a.Provide("through", through);
        var process = _a.Start(static async () =>
        {
            await Here.Event<bool>("go");
            for (var i = 0; i < 1000; i++)
                await Here.Receive<int>();
            Here.Resource<TaskCompletionSource>("through").SetResult();
            await Here.Event<bool>("stop");
        });
        await ImageStaysSmall(process, through.Task, () =>
        {
            for (var i = 0; i < 1000; i++)
                process.Send(i);
        });
    }

    static async Task ImageStaysSmall(MobileProcess process, Task through, Action? feed = null)
    {
        var before = await process.CaptureAsync().Within();
        feed?.Invoke();
        process.Raise("go", true);
        await through.Within();
        var after = await process.CaptureAsync().Within();
        Assert.InRange(after.Length, 1, before.Length + 100);
        process.Raise("stop", true);
        await process.Completion.Within();
    }

    [Fact]
    public async Task Timers_keep_their_moment_across_moves()
    {
        var started = _time.GetUtcNow();
        var process = _a.Start(static async () =>
        {
            await Here.Delay(TimeSpan.FromHours(30));
            return Here.Hops;
        });
        for (var hour = 1; hour < 30; hour++)
        {
            await Limits.Until(() => _time.Alarms == 1, "the timer to be set");
            _time.Advance(TimeSpan.FromHours(1));
            await process.MoveToAsync(hour % 2 == 0 ? "a" : "b").Within();
            Assert.False(process.Completion.IsCompleted);
        }
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(29, await process.Completion.Within());
    }

    [Fact]
    public async Task A_clock_that_is_set_back_makes_a_delay_longer_and_not_shorter()
    {
        var process = _a.Start(static () => Here.Delay(TimeSpan.FromMinutes(10)));
        await Limits.Until(() => _time.Alarms == 1, "the timer to be set");
        _time.Advance(TimeSpan.FromMinutes(-20));
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.False(process.Completion.IsCompleted);
        _time.Advance(TimeSpan.FromMinutes(1));
        await process.Completion.Within();
    }

    [Fact]
    public async Task Messages_arrive_once_and_in_order_while_the_process_moves()
    {
        const int Count = 2000;
        var process = _a.Start(static async () =>
        {
            var received = new List<int>();
            while (received.Count < Count)
                received.Add(await Here.Receive<int>());
            return received;
        });
        var moves = 0;
        var moving = Task.Run(async () =>
        {
            try
            {
                for (; ; moves++)
                    await process.MoveToAsync(moves % 2 == 0 ? "b" : "a");
            }
            catch (CannotMoveException) when (process.Completion.IsCompleted)
            {
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < Count; i++)
        {
            process.Send(i);
            if (i % 100 == 0)
            {
                var at = moves;
                await Limits.Until(() => moves > at, "another move");
            }
        }
        Assert.Equal(Enumerable.Range(0, Count), await process.Completion.Within());
        await moving.Within();
        Assert.InRange(moves, 20, int.MaxValue);
    }

    [Fact]
    public async Task Whoever_is_told_that_a_process_has_ended_finds_it_ended()
    {
        await using var store = new SlowToForget();
        var process = new MobileNode("c", _time, store).Start(static async () =>
        {
            await Here.Checkpoint();
            await Here.Event<bool>("end");
        });
        process.Raise("end", true);
        await store.Asked.Task.Within();
        var capture = process.CaptureAsync();
        Assert.False(capture.IsCompleted || process.Completion.IsCompleted);
        store.Forgotten.SetResult();
        await Assert.ThrowsAsync<CannotMoveException>(() => capture.Within());
        Assert.True(process.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_mailbox_keeps_its_order_and_gives_each_type_its_own()
    {
        var process = _a.Start(static async () =>
        {
            await Here.Event<bool>("read");
            await Here.MoveTo("b");
            return $"{await Here.Receive<int>()} {await Here.Receive<string>()} {await Here.Receive<int>()} {await Here.Event<int>("later")} {await Here.Receive<string>()}";
        });
        process.Raise("later", 9);
        process.Send("x");
        process.Send(1);
        process.Send("y");
        process.Send(2);
        process.Raise("read", true);
        Assert.Equal("1 x 2 9 y", await process.Completion.Within());
    }

    [Fact]
    public async Task A_message_is_a_copy_and_one_that_cannot_travel_fails_at_its_sender()
    {
        var list = new List<int> { 1 };
        var process = _a.Start(static async () =>
        {
            var other = await Here.Receive<List<int>>();
            await Here.Event<bool>("changed");
            return other.Count;
        });
        process.Send(list);
        list.Add(2);
        process.Raise("changed", true);
        Assert.Equal(1, await process.Completion.Within());
        using var stream = new FileStream("/dev/null", FileMode.Open);
        Assert.Throws<CannotTravelException>(() => process.Send(stream));
    }

    [Fact]
    public async Task Processes_write_to_each_other_by_id()
    {
        var echo = _b.Start(static async () =>
        {
            var (from, text) = await Here.Receive<(string, string)>();
            await Here.MoveTo("a");
            Here.Send(from, text + " back");
        });
        var id = echo.Id;
        var asks = _a.Start(async () =>
        {
            Here.Send(id, (Here.Id!, "there"));
            await Here.MoveTo("b");
            return await Here.Receive<string>();
        });
        Assert.Equal("there back", await asks.Completion.Within());
        await echo.Completion.Within();
    }

    [Fact]
    public async Task What_runs_restartably_is_stopped_here_and_started_there()
    {
        var starts = new List<string>();
        _a.Provide("starts", starts);
        _b.Provide("starts", starts);
        var go = new TaskCompletionSource();
        _b.Provide("go", go);
        var process = _a.Start(static async () =>
        {
            var seed = 20;
            Here.Resource<List<string>>("starts").Add(Here.Node!);
            var moved = Here.MoveTo("b");
            var result = await Here.Restartable(async token =>
            {
                if (seed == 20)
                    await Task.Delay(Timeout.Infinite, token);
                return seed;
            });
            await moved;
            return result;
        });
        await Limits.Until(() => process.Node == "b", "the process to move");
        Assert.False(process.Completion.IsCompleted);
        process.Kill();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());
    }

    [Fact]
    public async Task What_ends_although_it_was_asked_to_stop_counts()
    {
        var process = _a.Start(static async () =>
        {
            var attempts = 0;
            var moved = Here.MoveTo("b");
            var result = await Here.Restartable(async token =>
            {
                attempts++;
                var asked = new TaskCompletionSource();
                await using (token.Register(asked.SetResult))
                    await asked.Task;
                return $"read {attempts}";
            });
            await moved;
            return $"{result} {Here.Node}";
        });
        Assert.Equal("read 1 b", await process.Completion.Within());
    }

    [Fact]
    public async Task A_busy_process_can_be_moved_when_it_yields_and_an_operator_hears_that_it_does_not()
    {
        var yields = _a.Start(static async () =>
        {
            while (Here.Hops == 0)
                await Here.Yield();
            return Here.Node;
        });
        await yields.MoveToAsync("b").Within();
        Assert.Equal("b", await yields.Completion.Within());

        var stop = false;
        var (real, other) = (new MobileNode("a"), new MobileNode("b"));
        real.Connect(other);
        var computes = real.Start(async () =>
        {
            while (!Volatile.Read(ref stop))
                Thread.SpinWait(100);
            await Here.Yield();
            return Here.Node;
        });
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => computes.MoveToAsync("b", TimeSpan.FromMilliseconds(50)).Within());
        Assert.Contains("Here.Yield()", refused.Message);
        Volatile.Write(ref stop, true);
        Assert.Equal("a", await computes.Completion.Within());
    }

    [Fact]
    public async Task Two_operators_at_once_move_it_one_after_the_other()
    {
        var c = new MobileNode("c", _time);
        _a.Connect(c);
        _b.Connect(c);
        var process = _a.Start(static () => Here.Receive<string>());
        string[] targets = ["b", "c"];
        for (var round = 0; round < 50; round++)
        {
            var moves = await Task.WhenAll(targets.Select(async target =>
            {
                try
                {
                    await process.MoveToAsync(target);
                    return true;
                }
                catch (CannotMoveException)
                {
                    return false;
                }
            })).Within();
            Assert.Contains(true, moves);
            Assert.Equal(1, _a.Count + _b.Count + c.Count);
        }
        process.Send("done");
        Assert.Equal("done", await process.Completion.Within());
    }

    [Fact]
    public async Task What_blocks_does_not_hold_up_the_others_and_what_is_busy_lets_them_run()
    {
        using var go = new ManualResetEventSlim();
        var blocked = Enumerable.Range(0, 40).Select(_ => _a.Start(() => Here.Blocking(() => go.Wait(Limits.Seconds(10))))).ToArray();
        var done = false;
        var busy = Enumerable.Range(0, 40).Select(_ => _a.Start(async () =>
        {
            while (!Volatile.Read(ref done))
                await Here.Yield();
        })).ToArray();
        Assert.Equal(1, await _a.Start(static async () =>
        {
            for (var i = 0; i < 1000; i++)
                await Here.Yield();
            return 1;
        }).Completion.Within());
        Assert.DoesNotContain(busy, static process => process.Completion.IsCompleted);
        Volatile.Write(ref done, true);
        go.Set();
        await Task.WhenAll(busy.Select(static process => process.Completion)).Within();
        Assert.All(await Task.WhenAll(blocked.Select(static process => process.Completion)).Within(), Assert.True);
    }

    [Fact]
    public async Task A_process_that_ends_takes_its_calls_and_timers_along()
    {
        var process = _a.Start(static async () =>
        {
            var delay = Here.Delay(TimeSpan.FromDays(30));
            await Here.MoveTo("b");
            _ = delay;
        });
        await process.Completion.Within();
        Assert.Equal(0, _time.Alarms);
        Assert.Equal(0, _b.Count);
        await Assert.ThrowsAsync<CannotMoveException>(() => process.MoveToAsync("a").Within());
    }

    static async Mobile Fails()
    {
        await Here.Yield();
        throw new InvalidDataException($"thrown at {Here.Node}");
    }

    static async Mobile Between()
    {
        try
        {
            await Fails();
        }
        catch (InvalidDataException)
        {
            await Here.MoveTo("b");
            throw;
        }
    }

    [Fact]
    public async Task A_failure_shows_the_frames_of_both_nodes_with_their_lines()
    {
        var failed = await Assert.ThrowsAsync<InvalidDataException>(() => _a.Start(static () => Between()).Completion.Within());
        Assert.Equal("thrown at a", failed.Message);
        Assert.Matches(@"Fails\(\) in .*MobileProcessTests\.cs:line \d+[\s\S]*another process[\s\S]*Between\(\) in .*MobileProcessTests\.cs:line \d+", failed.ToString());
    }

    static async Mobile<int> Outermost(int x) => await Middle(x + 1, "text") + x;

    static async Mobile<int> Middle(int y, string text) => await Innermost(y * 2) + text.Length;

    static async Mobile<int> Innermost(long z) => await Here.Receive<int>() + (int)z;

    [Fact]
    public async Task Three_frames_with_a_small_state_are_an_image_of_260_bytes_at_most()
    {
        var process = _a.Start(static () => Outermost(5));
        var image = await process.CaptureAsync().Within();
        Assert.InRange(image.Length, 50, 260);
        process.Kill();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => process.Completion.Within());

        var again = _b.Restore<int>(image);
        again.Send(100);
        Assert.Equal(100 + 12 + 4 + 5, await again.Completion.Within());
    }

    [Fact]
    public async Task Bytes_that_are_no_image_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => _a.Restore<int>([]));
        Assert.Throws<InvalidDataException>(() => _a.Restore<int>([9, 1, 2]));
        var process = _a.Start(static () => Outermost(5));
        var image = await process.CaptureAsync().Within();
        Assert.Throws<InvalidOperationException>(() => _a.Restore<int>(image));   // it is here and runs
        Assert.Throws<InvalidDataException>(() => _b.Restore<int>(image[..^3]));
        process.Kill();
    }
}

/// <summary>Takes its time to forget a process that has ended.</summary>
sealed class SlowToForget : MobileStore
{
    public TaskCompletionSource Asked { get; } = new();

    public TaskCompletionSource Forgotten { get; } = new();

    public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => default;

    public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default)
    {
        Asked.SetResult();
        return new(Forgotten.Task);
    }

    public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => new([]);

    public override ValueTask DisposeAsync() => default;
}
