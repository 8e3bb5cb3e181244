using System.Globalization;
using System.Text;

[assembly: AssemblyFixture(typeof(Skein.Tests.Structure.NothingLeftBehind))]

namespace Skein.Tests.Structure;

/// <summary>
/// Around the whole suite: when its last test is over, no process, shared memory, control group, queue or temporary file of it remains.
/// </summary>
/// <remarks>
/// Processes are found by a variable that all the suite starts inherits, so an orphan is found as well as a child. Temporary files have a
/// folder of their own. What is named on the machine as a whole bears the id of the process that made it.
/// </remarks>
public sealed class NothingLeftBehind : IAsyncLifetime
{
    const string Variable = "SKEIN_TEST_RUN";

    // The SDK's own, and what the .NET runtime of a program that a test kills has no chance to remove.
    static readonly string[] NotOurs = [".dotnet", "NuGetScratch", "MSBuildTemp", "VBCSCompiler", "dotnet-diagnostic-", "clr-debug-pipe-"];

    static readonly string Self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    // Begins as the name of the run that ./check gave, by which it looks for what survives this program.
    readonly string _run = $"{Environment.GetEnvironmentVariable(Variable)}.{Self}";
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("skein-tests-");

    public ValueTask InitializeAsync()
    {
        Environment.SetEnvironmentVariable(Variable, _run);
        Environment.SetEnvironmentVariable("TMPDIR", _folder.FullName + "/");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var started = TimeProvider.System.GetTimestamp();
        while (Remaining().Any() && TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(1))
            await Task.Delay(TimeSpan.FromMilliseconds(20));   // what is being killed takes a moment
        var remaining = Remaining().ToArray();
        _folder.Delete(recursive: true);
        Assert.True(remaining.Length == 0, $"The suite left behind:\n{string.Join('\n', remaining)}");
    }

    IEnumerable<string> Remaining() =>
        Processes().Concat(SharedMemory()).Concat(Files(_folder.FullName)).Concat(Named("/dev/shm")).Concat(Named("/dev/mqueue")).Concat(ControlGroups());

    IEnumerable<string> Processes() =>
        from folder in Directory.GetDirectories("/proc")
        let id = Path.GetFileName(folder)
        where id.All(char.IsAsciiDigit) && id != Self
        let isOurs = Text($"{folder}/environ").Contains($"{Variable}={_run}\0", StringComparison.Ordinal)
        where isOurs || ParentOf(folder) == Self
        let command = Text($"{folder}/cmdline").Replace('\0', ' ')
        where !command.Contains("VBCSCompiler", StringComparison.Ordinal)
        select $"process {id}: {(command.Length > 0 ? command : "ended, and nobody waited for it")}";

    static string ParentOf(string folder) => Text($"{folder}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var parent, ..] ? parent : "";

    // Blocks of leases are kept for the next lease, up to a bound.
    static IEnumerable<string> SharedMemory() =>
        Directory.GetFileSystemEntries("/proc/self/fd")
            .Select(entry => new FileInfo(entry).LinkTarget ?? "")
            .Where(target => target.StartsWith("/memfd:skein", StringComparison.Ordinal) && !target.StartsWith("/memfd:skein-lease", StringComparison.Ordinal))
            .Select(target => $"shared memory {target}");

    static IEnumerable<string> Files(string folder) =>
        Directory.GetFileSystemEntries(folder)
            .Where(entry => !NotOurs.Any(other => Path.GetFileName(entry).StartsWith(other, StringComparison.Ordinal)))
            .Select(entry => $"temporary {entry}");

    static IEnumerable<string> Named(string folder) =>
        Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder, "*skein*").Where(NamesThisProcess) : [];

    static IEnumerable<string> ControlGroups() =>
        Directory.Exists("/sys/fs/cgroup")
            ? Directory.EnumerateDirectories("/sys/fs/cgroup", "skein-*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
                .Where(NamesThisProcess)
                .Select(group => $"control group {group}")
            : [];

    static bool NamesThisProcess(string path) => Path.GetFileName(path).Split('-', '.', '_').Contains(Self);

    static string Text(string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";   // it has just ended, or is not ours to look at
        }
    }
}
