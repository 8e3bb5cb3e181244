using System.Diagnostics;
using System.Globalization;

namespace Skein.Tests.Mobility;

/// <summary>Processes that wait for long are small.</summary>
public class ParkedTests
{
    /// <summary>In a program of its own: nobody else's memory is counted.</summary>
    [Fact]
    public async Task A_million_processes_sleep_at_one_node_and_take_less_than_a_kilobyte_each()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the tests' child is a program of Linux");
        var count = Limits.Long ? 1_000_000 : 20_000;
        var child = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");
        using var program = Process.Start(new ProcessStartInfo(child, ["parked", $"{count}"]) { RedirectStandardOutput = true })!;
        try
        {
            var parked = (await program.StandardOutput.ReadLineAsync().Within(60))!.Split(' ');
            Assert.Equal($"{count}", parked[0]);
            Assert.InRange(int.Parse(parked[1], CultureInfo.InvariantCulture), 1, 900);
            Assert.Equal("0", await program.StandardOutput.ReadLineAsync().Within(60));
        }
        finally
        {
            program.Kill();
            await program.WaitForExitAsync().Within();
        }
    }
}
