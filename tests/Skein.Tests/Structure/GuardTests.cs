using System.Diagnostics;

namespace Skein.Tests.Structure;

/// <summary>The guards that <c>./check --long</c> takes out can be taken out of the source as it is. That their tests turn red is seen there.</summary>
public class GuardTests
{
    [Fact]
    public async Task Every_guard_fits_the_source()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "git"))), "needs git");
        var unfit = new List<string>();
        foreach (var guard in Guards())
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["apply", "--check", guard])
            {
                WorkingDirectory = Repository.Root,
                RedirectStandardError = true,
            })!;
            var said = await git.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken).Within();
            await git.WaitForExitAsync(TestContext.Current.CancellationToken).Within();
            if (git.ExitCode != 0)
                unfit.Add($"{Path.GetFileName(guard)}: {said}");
        }

        Assert.Equal([], unfit);
    }

    [Fact]
    public void Every_guard_names_a_test_that_exists()
    {
        var tests = typeof(GuardTests).Assembly.GetTypes().SelectMany(type => type.GetMethods(), (type, method) => $"{type.Name}.{method.Name}").ToHashSet();
        var named = Guards().Select(guard => File.ReadLines(guard).First().Trim().Replace(" (long)", "", StringComparison.Ordinal)).ToArray();
        Assert.InRange(named.Length, 12, int.MaxValue);
        Assert.Equal([], named.Except(tests));
    }

    static IEnumerable<string> Guards() => Directory.EnumerateFiles(Repository.At("tests/guards"), "*.patch").Order(StringComparer.Ordinal);
}
