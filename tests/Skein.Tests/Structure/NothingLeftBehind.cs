using System.Globalization;
using System.Text;

[assembly: AssemblyFixture(typeof(Skein.Tests.Structure.NothingLeftBehind))]

namespace Skein.Tests.Structure;

/// <summary>
/// Around the whole suite: when its last test is over, no process, shared memory, control group, queue, mount, namespace, listening socket or
/// temporary file of it remains.
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

        // Handlers that block are what many tests are about. Those beside them are to find a thread at once, not one more each half second.
        ThreadPool.SetMinThreads(128, 128);
        Environment.SetEnvironmentVariable("TMPDIR", _folder.FullName + "/");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var started = TimeProvider.System.GetTimestamp();
        while (Remaining().Any() && TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(1))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));   // what is being killed takes a moment
            GC.Collect();                                      // memory that several threads may have looked at is unmapped by the collector
            GC.WaitForPendingFinalizers();
        }

        var remaining = Remaining().ToArray();
        if (!remaining.Any(what => what.StartsWith("mount ", StringComparison.Ordinal)))
            _folder.Delete(recursive: true);
        Assert.True(remaining.Length == 0, $"The suite left behind:\n{string.Join('\n', remaining)}");
    }

    IEnumerable<string> Remaining() =>
        Processes().Concat(SharedMemory()).Concat(Mapped()).Concat(Files(_folder.FullName)).Concat(Named("/dev/shm")).Concat(Named("/dev/mqueue"))
            .Concat(ControlGroups()).Concat(Mounts()).Concat(Namespaces()).Concat(Listening());

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

    static IEnumerable<string> Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Select(entry => new FileInfo(entry).LinkTarget ?? "");

    // Blocks of leases are kept for the next lease, up to a bound.
    static bool IsShared(string name) =>
        name.StartsWith("/memfd:skein", StringComparison.Ordinal) && !name.StartsWith("/memfd:skein-lease", StringComparison.Ordinal);

    static IEnumerable<string> SharedMemory() => Descriptors().Where(IsShared).Select(target => $"shared memory {target}");

    // What the last pool had may still be referred to by some thread's stack; what every pool leaves is soon more than that.
    static string[] Mapped()
    {
        string[] mapped = [.. File.ReadLines("/proc/self/maps")
            .Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length == 6 && IsShared(fields[5]))
            .Select(fields => $"mapped memory {fields[5]} at {fields[0]}")];
        return mapped.Length > 16 ? mapped : [];
    }

    // Of this process; those of others end with them, or are mounted.
    static IEnumerable<string> Namespaces() =>
        Descriptors().Where(target => target.Contains(":[", StringComparison.Ordinal) && NamespaceKinds.Contains(target.Split(':')[0])).Select(target => $"namespace {target}");

    static readonly string[] NamespaceKinds = ["mnt", "pid", "net", "uts", "ipc", "user", "cgroup", "time"];

    IEnumerable<string> Mounts() =>
        File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(_folder.FullName, StringComparison.Ordinal)).Select(line => $"mount {line.Split(' ')[4]}");

    /// <summary>Sockets of this process on which it waits for connections; the runtime has one for its diagnostics.</summary>
    static IEnumerable<string> Listening()
    {
        var own = Descriptors().Where(target => target.StartsWith("socket:[", StringComparison.Ordinal)).Select(target => target[8..^1]).ToHashSet();
        var tcp = new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists).SelectMany(File.ReadLines).Select(Fields)
            .Where(fields => fields.Length > 9 && fields[3] == "0A" && own.Contains(fields[9])).Select(fields => $"TCP listener {fields[1]}");
        var unix = File.ReadLines("/proc/net/unix").Select(Fields)
            .Where(fields => fields.Length > 7 && fields[3] == "00010000" && own.Contains(fields[6]) && !fields[7].Contains("/dotnet-diagnostic-", StringComparison.Ordinal))
            .Select(fields => $"Unix listener {fields[7]}");
        return tcp.Concat(unix);
    }

    static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

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
