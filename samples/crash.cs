// A crash in a thread takes everything that shares its memory; a crash in an OS process takes only itself. Both crash by a write
// through a bad pointer, which no `catch` can hold up.
//
//   dotnet run samples/crash.cs
//
// Try: leave out the OsProcess around CrashBesideAThread, and see nothing of what follows.

#:project ../src/Skein
using System.Runtime.InteropServices;
using Skein;

var quiet = new ProcessOptions { OnError = static _ => { } };   // what the runtime says of a crash is in Exit.StandardError as well

// Two threads, in an OS process of their own so that this program survives.
await using (var both = await Place.OsProcess.StartAsync(CrashBesideAThread, quiet))
    Console.WriteLine($"Two threads, one crashes.       The other: {await EndOf(both)}");

// Two OS processes.
await using var neighbour = await Place.OsProcess.StartAsync(Work);
await using var crashing = await Place.OsProcess.StartAsync(Crash, quiet);
Console.WriteLine($"Two OS processes, one crashes.  The one:   {await EndOf(crashing)}");
Console.WriteLine($"                                The other: {await EndOf(neighbour)}");
Console.WriteLine("This program: goes on.");

static async Task<string> CrashBesideAThread()
{
    await using var neighbour = await Place.Thread.StartAsync(Work);
    await using var crashing = await Place.Thread.StartAsync(Crash);
    return await neighbour.Completion;
}

static string Work()
{
    Thread.Sleep(TimeSpan.FromSeconds(1));
    return "finished its work";
}

static string Crash()
{
    Marshal.WriteInt32(0x0BAD_0000, 42);
    return "did not crash";
}

static async Task<string> EndOf(Process<string> process)
{
    try
    {
        return await process.Completion;
    }
    catch (ProcessLostException lost)
    {
        return $"lost, signal {lost.Exit.Signal}";
    }
}
