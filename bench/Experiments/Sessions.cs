using System.Diagnostics;
using Microsoft.Extensions.Caching.Memory;

namespace Skein.Bench.Experiments;

/// <summary>A million sessions of 100 bytes each: what one takes beside its payload, and how long it takes to find and use one at random.</summary>
static class Sessions
{
    const int Payload = 100;

    public static Experiment Memory(Scale scale)
    {
        var count = scale.Of(1_000_000);
        return new("session-memory", "session beside its payload, of a million", Unit.Bytes,
        [
            new Local("Skein", "SessionTable<byte[]>", () => Task.FromResult(Measure(count, (table, _) => table.Bytes))),
            new Local("MemoryCache", "sliding expiration, the same ids", () => Task.FromResult(Measure(count, (cache, _) => cache.Bytes, peer: true))),
        ],
        [
            new("Skein", "MemoryCache") { AtMost = 400 },
        ]);
    }

    public static Experiment Use(Scale scale)
    {
        var (count, uses) = (scale.Of(1_000_000), scale.Of(2_000_000));
        return new("session-use", "look-up and touch of one of a million sessions", Unit.Nanoseconds,
        [
            new Local("Skein", "SessionTable<byte[]>", () => Task.FromResult(Measure(count, (table, ids) => Uses(table.Find, ids, uses)))),
            new Local("MemoryCache", "sliding expiration, the same ids", () => Task.FromResult(Measure(count, (cache, ids) => Uses(cache.Find, ids, uses), peer: true))),
        ],
        [
            new("Skein", "MemoryCache") { AtMost = 1000 },
        ]);
    }

    static double Measure(int count, Func<Filled, string[], double> measure, bool peer = false)
    {
        using var table = peer ? null : new SessionTable<byte[]>(new() { MaxSessions = count, MaxBytes = long.MaxValue / 2 }, state => state.Length);
        using var cache = peer ? new MemoryCache(new MemoryCacheOptions()) : null;
        var ids = new string[count];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < count; i++)
        {
            var state = new byte[Payload];
            state[0] = (byte)i;
            ids[i] = table?.Create(state) ?? Put(cache!, state);
        }

        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)count - Payload;
        var filled = new Filled(id => table is not null ? table.TryGet(id, out var found) ? found : null : cache!.Get<byte[]>(id), bytes);
        for (var i = 0; i < count; i++)
        {
            if (filled.Find(ids[i]) is not { } state || state[0] != (byte)i)
                throw new InvalidDataException("a session was not what it was");
        }

        Random.Shared.Shuffle(ids);
        return measure(filled, ids);
    }

    static string Put(MemoryCache cache, byte[] state)
    {
        var id = Guid.NewGuid().ToString("N");
        cache.Set(id, state, new MemoryCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) });
        return id;
    }

    static double Uses(Func<string, byte[]?> find, string[] ids, int uses)
    {
        var sum = 0;
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < uses; i++)
            sum += find(ids[i % ids.Length])![0];
        var elapsed = Stopwatch.GetElapsedTime(started);
        return sum >= 0 ? elapsed.TotalNanoseconds / uses : 0;
    }

    sealed record Filled(Func<string, byte[]?> Find, double Bytes);
}
