using System.Runtime.Versioning;

namespace Skein.Tests.Child;

/// <summary>Pools in a program that lacks something; prints what happened, a line each.</summary>
[SupportedOSPlatform("linux")]
static class PoolUnderLimitsCase
{
    static readonly PoolOptions Two = new() { Workers = 2 };

    /// <summary>With few descriptors (the limit is set by whoever starts it): all are taken, then given back.</summary>
    public static async Task<int> Descriptors()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, Two);
        Console.WriteLine($"before {await pool.RunAsync(static () => 1)}");
        AllThreadsOfThePool();
        var taken = new List<FileStream>();
        try
        {
            while (true)
                taken.Add(File.OpenRead("/dev/null"));
        }
        catch (IOException)
        {
            // None is left.
        }

        try
        {
            await WorkerPool.StartAsync(Place.OsProcess, Two);
            Console.WriteLine("started");
        }
        catch (PlaceException error)
        {
            Console.WriteLine($"refused {error.Message.ReplaceLineEndings(" ")}");
        }

        Console.WriteLine($"meanwhile {await pool.RunAsync(static () => 2)}");
        foreach (var stream in taken)
            stream.Dispose();
        var open = Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        await using (var second = await WorkerPool.StartAsync(Place.OsProcess, Two))
            Console.WriteLine($"afterwards {await second.RunAsync(static () => 3)} {await pool.RunAsync(static () => 4)}");
        for (var wait = 0; wait < 1000 && Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() > open; wait++)
            await Task.Delay(TimeSpan.FromMilliseconds(5));
        Console.WriteLine($"leaked {Math.Max(0, Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() - open)}");
        return 0;
    }

    // A thread of .NET needs a pipe to start. The runtime ends a program whose thread pool cannot have one more that it wants.
    public static void AllThreadsOfThePool()
    {
        const int Threads = 16;
        ThreadPool.SetMinThreads(Threads, Threads);
        ThreadPool.SetMaxThreads(Threads, Threads);
        using var all = new Barrier(Threads);
        Task.WaitAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(() => all.SignalAndWait(TimeSpan.FromSeconds(30)))));
    }

    /// <summary>With a full temporary folder.</summary>
    public static async Task<int> FullFolder()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, Two);
        Console.WriteLine($"before {await pool.RunAsync(static bytes => bytes.Length, new byte[3 << 20])}");
        try
        {
            await pool.RunAsync(static () => File.WriteAllBytes(Path.GetTempFileName(), new byte[1 << 20]));
            Console.WriteLine("written");
        }
        catch (IOException error)
        {
            Console.WriteLine($"refused {error.Message}");
        }

        Console.WriteLine($"afterwards {await pool.RunAsync(static () => 3)}");
        return 0;
    }

    /// <summary>Does what each line of its input asks for.</summary>
    public static async Task<int> Modules()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, Two with { RestartIntensity = 0 });
        Console.WriteLine($"ready {typeof(PoolUnderLimitsCase).Module.ModuleVersionId}");
        while (Console.ReadLine() is { } line)
        {
            try
            {
                if (line == "start")
                    await using (await WorkerPool.StartAsync(Place.OsProcess, Two)) Console.WriteLine("started");
                else
                    Console.WriteLine($"ran {await pool.RunAsync(static () => 5)}");
            }
            catch (PlaceException error)
            {
                Console.WriteLine($"refused {error.Message.ReplaceLineEndings(" ")}");
            }
        }

        return 0;
    }
}
