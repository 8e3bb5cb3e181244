using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Skein.Tests.Servers;

/// <summary>Sessions in the process that serves them: bounded, expiring, and gone when they are gone.</summary>
public class StateTableTests
{
    readonly ManualTime _time = new();

    [Fact]
    public void Ids_are_chosen_here_and_cannot_be_guessed_or_made_up()
    {
        using var sessions = new SessionTable<string>();
        var ids = Enumerable.Range(0, 1000).Select(i => sessions.Create($"state {i}")).ToArray();
        Assert.Equal(1000, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{32}$", id));
        for (var bit = 0; bit < 128; bit++)   // each bit is random: about half of them are set
            Assert.InRange(ids.Count(id => (Convert.FromHexString(id)[bit / 8] >> (bit % 8) & 1) == 1), 350, 650);

        Assert.Equal("state 7", sessions.Get(ids[7]));
        Assert.False(sessions.TryGet(new string('0', 32), out _));
        Assert.False(sessions.TryGet(null, out _));
        Assert.Contains("start again", Assert.Throws<SessionEndedException>(() => sessions.Get("made up")).Message, StringComparison.Ordinal);
        Assert.Equal(1000, sessions.Count);
    }

    [Fact]
    public void The_least_recently_used_go_when_there_are_too_many()
    {
        using var sessions = new SessionTable<int>(new() { MaxSessions = 3 });
        var ids = Enumerable.Range(0, 3).Select(sessions.Create).ToArray();
        Assert.Equal(0, sessions.Get(ids[0]));   // now 1 is the one
        var fourth = sessions.Create(3);
        Assert.False(sessions.TryGet(ids[1], out _));
        Assert.Equal([0, 2, 3], new[] { ids[0], ids[2], fourth }.Select(sessions.Get));
    }

    [Fact]
    public void The_least_recently_used_go_when_they_are_too_large()
    {
        using var sessions = new SessionTable<byte[]>(new() { MaxBytes = 100_000 }, state => state.Length);
        var ids = Enumerable.Range(0, 50).Select(_ => sessions.Create(new byte[10_000])).ToArray();
        Assert.InRange(sessions.Bytes, 90_000, 100_000);
        Assert.Equal(ids[^9..], ids.Where(id => sessions.TryGet(id, out _)));
        Assert.Contains("keep what is large elsewhere", Assert.Throws<ArgumentException>(() => sessions.Create(new byte[20_000])).Message, StringComparison.Ordinal);
        Assert.Equal(9, sessions.Count);
    }

    [Fact]
    public void A_session_ends_when_it_is_not_used_and_its_use_begins_the_time_again()
    {
        using var sessions = new SessionTable<int>(new() { IdleTimeout = TimeSpan.FromMinutes(10), Time = _time });
        var (used, unused) = (sessions.Create(1), sessions.Create(2));
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(9));
            Assert.Equal(1, sessions.Get(used));
        }

        Assert.False(sessions.TryGet(unused, out _));
        Assert.Equal(1, sessions.Count);
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(0, sessions.Count);   // without that anybody asked for it
    }

    [Fact]
    public void A_session_whose_time_is_over_has_ended_before_anybody_has_swept_it_away()
    {
        var ended = new List<string>();
        var sessions = new LeastRecentlyUsed<string>(10, 10_000) { Ended = (name, _, why) => ended.Add($"{name} {why}") };
        sessions.Set("a", "state", 0, now: 0, idle: 100, latest: 1000);
        Assert.Equal("state", sessions.Use("a", now: 99));
        Assert.True(System.Runtime.CompilerServices.Unsafe.IsNullRef(ref sessions.Use("a", now: 199)));
        Assert.Equal(["a Expired"], ended);
        Assert.Equal((0, 0), (sessions.Count, sessions.Bytes));
    }

    [Fact]
    public void A_session_ends_with_its_lifetime_however_much_it_is_used()
    {
        using var sessions = new SessionTable<int>(new() { IdleTimeout = TimeSpan.FromMinutes(10), Lifetime = TimeSpan.FromHours(1), Time = _time });
        var id = sessions.Create(1);
        for (var i = 0; i < 59; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.True(sessions.TryGet(id, out _));
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(sessions.TryGet(id, out _));
    }

    [Fact]
    public void A_clock_that_jumps_ends_no_session_and_keeps_none_alive()
    {
        using var sessions = new SessionTable<int>(new() { IdleTimeout = TimeSpan.FromMinutes(10), Time = _time });
        var id = sessions.Create(1);
        _time.Jump(TimeSpan.FromDays(400));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, sessions.Get(id));
        _time.Jump(TimeSpan.FromDays(-800));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(sessions.TryGet(id, out _));
    }

    [Fact]
    public void Whatever_is_done_the_table_holds_what_a_simple_model_holds_and_none_leak()
    {
        var random = new Random(20261121);
        const int Most = 50;
        using var sessions = new SessionTable<int>(new() { MaxSessions = Most, IdleTimeout = TimeSpan.FromSeconds(100), Lifetime = TimeSpan.FromSeconds(1000), Time = _time });
        var model = new List<(string Id, int State, double Idle, double Life)>();   // least recently used first
        var now = 0.0;
        var known = new List<string> { "none" };
        for (var step = 0; step < 20_000; step++)
        {
            model.RemoveAll(session => session.Idle <= now || session.Life <= now);
            var id = known[random.Next(known.Count)];
            var row = model.FindIndex(session => session.Id == id);
            switch (random.Next(8))
            {
                case 0 or 1:
                    id = sessions.Create(step);
                    known.Add(id);
                    model.Add((id, step, now + 100, now + 1000));
                    if (model.Count > Most)
                        model.RemoveAt(0);
                    break;
                case 2:
                    Assert.Equal(row >= 0, sessions.Remove(id));
                    if (row >= 0)
                        model.RemoveAt(row);
                    break;
                case 3:
                    var seconds = random.Next(10) == 0 ? 60 : random.NextDouble();
                    _time.Advance(TimeSpan.FromSeconds(seconds));
                    now += seconds;
                    break;
                default:
                    Assert.Equal(row >= 0, sessions.TryGet(id, out var state));
                    if (row >= 0)
                    {
                        Assert.Equal(model[row].State, state);
                        model.Add(model[row] with { Idle = now + 100 });
                        model.RemoveAt(row);
                    }

                    break;
            }

            if (known.Count > 3 * Most)
                known.RemoveRange(0, Most);
        }

        model.RemoveAll(session => session.Idle <= now || session.Life <= now);
        Assert.All(model, session => Assert.True(sessions.TryGet(session.Id, out _)));
        foreach (var (id, _, _, _) in model)
            Assert.True(sessions.Remove(id));
        _time.Advance(TimeSpan.FromSeconds(1000));
        Assert.Equal((0, 0), (sessions.Count, sessions.Bytes));
    }

    [Fact]
    public void What_a_session_held_is_garbage_when_it_has_ended()
    {
        using var sessions = new SessionTable<object>(new() { MaxSessions = 2, Time = _time });
        var states = Fill(sessions);
        GC.Collect();
        Assert.Equal([false, true, true], states.Select(state => state.IsAlive));   // one was evicted
        _time.Advance(TimeSpan.FromDays(1));
        GC.Collect();
        Assert.Equal([false, false, false], states.Select(state => state.IsAlive));
    }

    [Fact]
    public void A_metric_shows_how_many_live()
    {
        using var sessions = new SessionTable<StateTableTests>(new() { MaxSessions = 3, Time = _time });   // its name in the metric is this class
        var live = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, me) =>
        {
            if (instrument.Name.StartsWith("skein.sessions", StringComparison.Ordinal))
                me.EnableMeasurementEvents(instrument, sessions);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "skein.sessions.live" && tags[0].Value is nameof(StateTableTests))
                live = value;
        });
        listener.Start();
        var ids = Enumerable.Range(0, 5).Select(_ => sessions.Create(this)).ToArray();
        listener.RecordObservableInstruments();
        Assert.Equal(3, live);
        sessions.Remove(ids[^1]);
        _time.Advance(TimeSpan.FromDays(1));
        listener.RecordObservableInstruments();
        Assert.Equal(0, live);
    }

    [Fact]
    public async Task Sessions_are_handed_over_to_another_process_that_goes_on_with_them()
    {
        using var here = new SessionTable<List<string>>(new() { Time = _time });
        var id = here.Create(["one"]);
        _time.Advance(TimeSpan.FromMinutes(19));   // of 20
        here.Create(["another"]);

        var handed = here.HandOver();
        Assert.Equal((0, 0), (here.Count, here.Bytes));
        await using var process = await Place.OsProcess.StartAsync(GoOn, handed.ToArray());
        var back = await process.Completion.Within();

        Assert.Contains(back, session => session.Id == id && session.State is ["one", "two"]);
        Assert.Equal(2, back.Length);
        here.TakeOver(handed);
        _time.Advance(TimeSpan.FromMinutes(2));   // how long it was idle before it came counts
        Assert.Throws<SessionEndedException>(() => here.Get(id));
        Assert.Equal(1, here.Count);
    }

    static HandedSession<List<string>>[] GoOn(HandedSession<List<string>>[] handed)
    {
        using var there = new SessionTable<List<string>>();
        there.TakeOver(handed);
        there.Get(handed[0].Id).Add("two");
        return [.. there.HandOver()];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static WeakReference[] Fill(SessionTable<object> sessions) => [.. Enumerable.Range(0, 3).Select(_ =>
    {
        var state = new object();
        sessions.Create(state);
        return new WeakReference(state);
    })];
}
