// Two OS processes that each run three threads; all six add 1 to three variables. A static variable belongs to its OS process and is
// shared by the threads in it, a [ThreadStatic] one belongs to its thread, a local one to its call.
//
//   dotnet run samples/threads-in-processes.cs
//
// Try: Place.Thread in the place of Place.OsProcess. Then all six threads share one variable.

#:project ../src/Skein
using Skein;

var processes = new List<Process<View[]>>();
for (var number = 1; number <= 2; number++)
    processes.Add(await Place.OsProcess.StartAsync(RunThreads, number, 3));

Console.WriteLine("process  thread   static  [ThreadStatic]  local");
foreach (var process in processes)
{
    await using (process)
    {
        foreach (var view in await process.Completion)
            Console.WriteLine($"{view.Process,7}  {view.Thread,6}  {view.Shared,7}  {view.OfThread,14}  {view.Local,5}");
    }
}

Console.WriteLine($"{"here",7}  {"",6}  {Variables.Shared,7}  {Variables.OfThread,14}");

static async Task<View[]> RunThreads(int process, int count)
{
    var threads = new List<Process<View>>();
    for (var number = 1; number <= count; number++)
        threads.Add(await Place.Thread.StartAsync(Add, process, number));
    return await Task.WhenAll(threads.Select(thread => thread.Completion));
}

static View Add(int process, int thread)
{
    var local = 0;
    return new(process, thread, Interlocked.Increment(ref Variables.Shared), ++Variables.OfThread, ++local);
}

sealed record View(int Process, int Thread, int Shared, int OfThread, int Local);

static class Variables
{
    public static int Shared;
    [ThreadStatic] public static int OfThread;
}
