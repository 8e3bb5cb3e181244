// The same function in a thread of this program, and in an operating-system process of its own: one word chooses.
//
//   dotnet run samples/hello.cs
//   dotnet run samples/hello.cs -- Ada        greets Ada
//
// Try: let Greet sleep for a minute, and look at the two processes with `ps -ef | grep hello`.

#:project ../src/Skein
using Skein;

var name = args.FirstOrDefault("world");
Console.WriteLine($"This program is process {Environment.ProcessId}.");

foreach (var place in new[] { Place.Thread, Place.OsProcess })
{
    await using var process = await place.StartAsync(Greet, name);
    Console.WriteLine($"{place,-9}  {await process.Completion}");
}

static string Greet(string name) =>
    $"Hello, {name}, from thread {Environment.CurrentManagedThreadId} of process {Environment.ProcessId}.";
