// What is shared, and what that costs. Two processes add 1 to one variable: as threads they share it, and an update can be lost (here
// it is lost each time: both read, meet, then write). As OS processes each has its own, until shared memory is asked for.
//
//   dotnet run samples/counter.cs
//
// Try: replace Interlocked.Increment by ++ in AddMany, and run it a few times.

#:project ../src/Skein
using System.Runtime.InteropServices;
using Skein;

using var meeting = new Barrier(2);
Func<long> withoutLock = () =>
{
    var seen = Counter.Value;
    meeting.SignalAndWait();          // now both have read the same value
    return Counter.Value = seen + 1;  // and one of the two additions is lost
};

await TwiceAsync(Place.Thread, withoutLock);
Console.WriteLine($"Two threads, without a lock: both read, meet, then write:    {Counter.Value}");

Counter.Value = 0;
await TwiceAsync(Place.Thread, AddWithLock);
Console.WriteLine($"Two threads, with a lock:                                    {Counter.Value}");

Counter.Value = 0;
var seen = await TwiceAsync(Place.OsProcess, AddWithLock);
Console.WriteLine($"Two OS processes: each has a variable of its own:            {seen[0]} and {seen[1]}, and here {Counter.Value}");

using var shared = Lease.Rent(2 * sizeof(long));   // memory that this process and those it is passed to see at the same time
shared.Span.Clear();
await TwiceAsync(Place.OsProcess, () => AddOnceWithoutLock(shared));
Console.WriteLine($"Two OS processes, shared memory, read and write apart:       {Cells(shared)[0]}");

shared.Span.Clear();
await TwiceAsync(Place.OsProcess, () => AddMany(shared, 100_000));
Console.WriteLine($"Two OS processes, shared memory, 100,000 atomic adds each:   {Cells(shared)[0]}");

static long AddWithLock()
{
    lock (Counter.Gate)
        return ++Counter.Value;
}

static long AddOnceWithoutLock(Lease shared)
{
    var cells = Cells(shared);
    var seen = cells[0];
    Interlocked.Increment(ref cells[1]);               // the meeting: whoever comes first waits for the other
    while (Volatile.Read(ref cells[1]) < 2)
        Thread.Yield();
    return cells[0] = seen + 1;
}

static long AddMany(Lease shared, int times)
{
    for (var i = 0; i < times; i++)
        Interlocked.Increment(ref Cells(shared)[0]);   // one instruction of the processor, whoever shares the memory
    return Cells(shared)[0];
}

static Span<long> Cells(Lease shared) => MemoryMarshal.Cast<byte, long>(shared.Span);

static async Task<long[]> TwiceAsync(Place place, Func<long> add)
{
    await using var one = await place.StartAsync(add);
    await using var other = await place.StartAsync(add);
    return await Task.WhenAll(one.Completion, other.Completion);
}

static class Counter
{
    public static readonly Lock Gate = new();
    public static long Value;
}
