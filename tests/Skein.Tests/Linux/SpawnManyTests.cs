using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class SpawnManyTests
{
    [Fact]
    public async Task A_thousand_starts_leave_nothing_behind()
    {
        var (output, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["spawn-many", "1000"]));
        Assert.Equal(0, status.Code);
        var left = output.Split('\n')[..^1].Select(l => l.Split(' ')).ToDictionary(l => l[0], l => int.Parse(l[1], CultureInfo.InvariantCulture));
        Assert.Equal((0, 0), (left["descriptors"], left["children"]));
        Assert.InRange(left["mappings"], -5, 5); // stacks of pool threads have the same size
    }

    [Fact]
    public async Task Eight_threads_may_start_at_once_and_the_frameworks_own_class_beside_them()
    {
        var threads = Enumerable.Range(0, 8).Select(t => Task.Factory.StartNew(() =>
        {
            var children = new List<(ChildProcess Child, int Code)>();
            for (var i = 0; i < 25; i++)
            {
                var code = 1 + (((t * 25) + i) % 100);
                children.Add((Spawner.Start(Programs.Shell($"exit {code}")), code));
            }

            return children;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();

        var beside = Enumerable.Range(0, 60).Select(async i =>
        {
            using var process = Process.Start("/bin/sh", ["-c", $"exit {i}"]);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).Within(30);
            Assert.Equal(i, process.ExitCode);
        }).ToList();

        foreach (var children in await Task.WhenAll(threads).Within(30))
        {
            foreach (var (child, code) in children)
            {
                Assert.Equal(code, (await child.Exited.Within(30)).Code);
                child.Dispose();
            }
        }

        await Task.WhenAll(beside).Within(30);
    }
}
