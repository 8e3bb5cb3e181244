// A long computation that survives `kill -9`: it counts primes, slice by slice, and stores itself after each. Its node, an operating-system process,
// is killed again and again without warning; each time another one is started with the same store, and the loop goes on where it was.
//
//   dotnet run samples/survivor.cs
//   dotnet run samples/survivor.cs -- 2000000 5         counts below two million; the node is killed five times
//
// What to see: the function is an ordinary loop with one more line. At most the slice that was under way is counted once more.

#:project ../src/Skein
using System.Globalization;
using System.Runtime.Versioning;
using Skein;

[assembly: SupportedOSPlatform("linux")]

const int Slices = 40;
var below = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 400_000;
var kills = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;

var file = Path.Combine(Directory.CreateTempSubdirectory("skein-survivor-").FullName, "processes.log");
var (begun, last) = (0, 0);
for (var killed = 0; ; killed++)
{
    var goal = killed < kills ? last + Slices / (kills + 2) : int.MaxValue;
    var isThere = new TaskCompletionSource();
    var report = Callback.To((int slice) =>
    {
        (begun, last) = (begun + 1, slice);
        if (slice == goal)
            isThere.TrySetResult();
    });
    await using var node = await Place.OsProcess.StartAsync(RunNode, new Work(file, below), report);
    if (await Task.WhenAny(isThere.Task, node.Completion) == isThere.Task)
    {
        node.Signal(9);   // SIGKILL: nobody over there has time for anything
        await ((Task)node.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine($"in slice {last} its node ended by signal {(await node.Exited).Signal}");
        continue;
    }

    Console.WriteLine($"{await node.Completion} primes below {below}: {Slices} slices, {begun - Slices} of them counted again after {killed} kills");
    break;
}

Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);

// The node: what its store has goes on; where it has nothing, the work begins.
static async Task<int> RunNode(Work work, Callback<int, Nothing> report)
{
    await using var store = FileStore.Open(work.Store);
    var node = new MobileNode("a", store: store);
    node.Provide("report", report);
    var restored = await node.RestoreAsync();
    var process = restored.Count > 0 ? (MobileProcess<int>)restored[0] : node.Start(() => Count(work.Below));
    return await process.Completion;
}

static async Mobile<int> Count(int below)
{
    var primes = 0;
    for (var slice = 1; slice <= Slices; slice++)
    {
        await Here.Resource<Callback<int, Nothing>>("report").InvokeAsync(slice);
        for (var number = below / Slices * (slice - 1); number < below / Slices * slice; number++)
            primes += IsPrime(number) ? 1 : 0;
        await Here.Checkpoint();                                                 // from here on this slice is never lost
    }
    return primes;
}

static bool IsPrime(int number)
{
    for (var divisor = 2; divisor * divisor <= number; divisor++)
    {
        if (number % divisor == 0)
            return false;
    }

    return number > 1;
}

sealed record Work(string Store, int Below);
