using Skein.Tests.Cli;
using Skein.Tests.Structure;

namespace Skein.Tests.Servers;

/// <summary>The unit file that is handed out.</summary>
public class SystemdUnitTests
{
    static readonly string Unit = Repository.At("packaging/systemd/skein@.service");

    [Fact]
    public async Task What_it_starts_is_a_command_line_that_makes_sense()
    {
        using var folder = new ScratchFolder();
        string[] words =
        [
            .. Setting("ExecStart").Split(' ').Skip(1).Select(word => word switch
            {
                "/srv/%i/current/%i.dll" => ServedApp.BuiltDll,
                "${SKEIN_LISTEN}" => Setting("Environment").Split(' ')[0].Split('=', 2)[1],
                _ => word.Replace("%i", "shop", StringComparison.Ordinal),
            }),
        ];

        var ended = await SkeinCommand.RunAsync("", [.. words, "--check"], new Dictionary<string, string> { ["SKEIN_HOME"] = folder.Path });

        Assert.Equal((0, ""), (ended.Code, ended.Error));
    }

    [Fact]
    public async Task Systemd_takes_each_of_its_lines()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze(1) is not installed");
        using var folder = new ScratchFolder();
        var unit = folder.Write("skein@shop.service", File.ReadAllText(Unit).Replace("/usr/bin/skein", "/bin/true", StringComparison.Ordinal));

        var ended = await SkeinCommand.RunProgramAsync("systemd-analyze", "verify", unit);

        Assert.DoesNotContain(unit, ended.Error, StringComparison.Ordinal);   // it says what it ignores, and ends with 0
        Assert.Equal(0, ended.Code);
    }

    static string Setting(string name) => File.ReadLines(Unit).Single(line => line.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..];
}
