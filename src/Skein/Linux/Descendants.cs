using System.Buffers;
using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text;

namespace Skein;

/// <summary>
/// Finds and kills what a process has started, directly or not. Three ways lead there: the chain of parents, the process group, and
/// for those that left both (a new session, an exited parent) a variable in the environment, which every descendant inherits.
/// Its value is a path of identifiers, so the descendants of an inner process can be told from those of an outer one.
/// What clears its environment <em>and</em> leaves its group <em>and</em> loses its parent escapes; a control group catches that too.
/// </summary>
[SupportedOSPlatform("linux")]
static class Descendants
{
    /// <summary>The name of the variable.</summary>
    public const string Variable = "SKEIN_PROCESS";

    /// <summary>A scan finds what the stopped ones started before; more than a few rounds means that something forks like mad.</summary>
    const int MaxRounds = 50;

    /// <summary>In the middle of execve there is no environment. It is there in a moment, unless the machine has no time for it.</summary>
    static readonly TimeSpan SettlingLimit = TimeSpan.FromSeconds(1);

    static readonly string OwnPrefix =
        (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } outer ? outer + "/" : "") +
        string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{ProcessStatus.Read(Environment.ProcessId)?.StartTime}-");

    /// <summary>The marker of this process, where Skein started it.</summary>
    public static string? OwnMarker => Environment.GetEnvironmentVariable(Variable);

    public static string NewMarker(int number) => OwnPrefix + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>An environment as the kernel takes it, with the marker in it.</summary>
    public static IReadOnlyCollection<string> Mark(IReadOnlyList<KeyValuePair<string, string>>? environment, string marker)
    {
        var result = new List<string> { $"{Variable}={marker}" };
        if (environment is null)
        {
            foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
                Add((string)variable.Key, (string?)variable.Value);
        }
        else
        {
            foreach (var (name, value) in environment)
                Add(name, value);
        }

        return result;

        void Add(string name, string? value)
        {
            if (name != Variable)
                result.Add($"{name}={value}");
        }
    }

    /// <summary>Kills everything that carries the marker, and its children, except the calling process. For a worker that ends itself: <see cref="OwnMarker"/>.</summary>
    /// <returns>How many got the signal.</returns>
    public static int KillAll(string marker) => Kill(marker, 0, null);

    /// <summary>Kills a process with its descendants.</summary>
    /// <param name="since">The start time of the process: what is older cannot be its descendant.</param>
    /// <param name="root">Its number, if it has not been waited for.</param>
    /// <param name="after">The number of a process that lived only a moment: its descendants have higher ones.</param>
    public static int Kill(string marker, long since, int? root, int? after = null)
    {
        var tree = new Dictionary<int, Member>();
        try
        {
            // What is stopped starts nothing more. When a look around finds nothing new, and everybody could be asked, the tree is complete.
            var grown = Stopwatch.GetTimestamp();
            for (var round = 0; round < MaxRounds;)
            {
                if (Grow(tree, marker, since, root, after, out var unsettled))
                    (round, grown) = (round + 1, Stopwatch.GetTimestamp());
                else if (!unsettled || Stopwatch.GetElapsedTime(grown) > SettlingLimit)
                    break;
                if (unsettled)
                    Thread.Sleep(1);
            }

            // The youngest first: the end of a parent can wake what is stopped (as "orphaned", setpgid(2)), which then might start something.
            var killed = 0;
            foreach (var member in tree.Values.Reverse())
                killed += ProcessDescriptor.Signal(member.Descriptor, ProcessDescriptor.SIGKILL) ? 1 : 0;
            return killed;
        }
        finally
        {
            foreach (var member in tree.Values)
                _ = Libc.Close(member.Descriptor);
        }
    }

    /// <summary>Looks at all processes once and stops those that belong to the tree and are new; false where there is none.</summary>
    /// <param name="unsettled">Whether one of the others may belong to it, and cannot be asked yet.</param>
    static bool Grow(Dictionary<int, Member> tree, string marker, long since, int? root, int? after, out bool unsettled)
    {
        unsettled = false;
        var candidates = new List<ProcessStatus>();
        foreach (var status in (after is { } last ? ProcessStatus.ReadAfter(last) : null) ?? ProcessStatus.ReadAll())
        {
            if (status.Id != Environment.ProcessId && !status.IsDead && !status.IsKernelThread && status.StartTime >= since && !tree.ContainsKey(status.Id))
                candidates.Add(status);
        }

        // The numbers just read meant the group of our process only if it still has its number now.
        var group = root is { } id && ProcessStatus.Read(id)?.StartTime == since ? root : null;
        var grown = false;
        for (var again = true; again;)
        {
            again = false;
            for (var i = candidates.Count - 1; i >= 0; i--)
            {
                var status = candidates[i];
                var belongs = (group is { } own && (status.Id == own || status.Group == own || status.Session == own))
                    || (tree.TryGetValue(status.Parent, out var parent) && ProcessStatus.Read(status.Parent)?.StartTime == parent.StartTime)
                    || (!again && CarriesMarker(status.Id, marker, ref unsettled));
                if (!belongs)
                    continue;
                candidates.RemoveAt(i);
                if (Stop(status) is { } member)
                {
                    tree.Add(status.Id, member);
                    grown = again = true;
                }
            }
        }

        return grown;
    }

    /// <summary>Stops a process if the number still means the one that was looked at.</summary>
    static Member? Stop(ProcessStatus status)
    {
        var descriptor = ProcessDescriptor.Open(status.Id);
        if (descriptor < 0)
            return null;
        if (ProcessStatus.Read(status.Id)?.StartTime == status.StartTime && ProcessDescriptor.Signal(descriptor, ProcessDescriptor.SIGSTOP))
            return new(descriptor, status.StartTime);
        _ = Libc.Close(descriptor);
        return null;
    }

    static bool CarriesMarker(int id, string marker, ref bool unsettled)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            var length = ProcessFile.Read($"/proc/{id}/environ", buffer);
            if (length == 0)
                unsettled |= !ProcessStatus.HasEmptyEnvironment(id);
            if (length <= 0)
                return false;
            var wanted = Encoding.UTF8.GetBytes($"{Variable}={marker}");
            foreach (var range in buffer.AsSpan(0, length).Split((byte)0))
            {
                var variable = buffer.AsSpan(0, length)[range];
                if (variable.StartsWith(wanted))
                    return variable.Length == wanted.Length || variable[wanted.Length] == '/';
            }

            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    readonly record struct Member(int Descriptor, long StartTime);
}
