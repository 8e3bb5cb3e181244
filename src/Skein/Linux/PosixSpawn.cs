using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Starts a program by the C library where <see cref="SystemCallTable"/> does not work. It can less: nobody kills the child when
/// this process ends (it must notice that itself), priority, processors, limits and control group take effect a moment after the
/// start, and an error in the child does not tell its step.
/// </summary>
[SupportedOSPlatform("linux")]
static unsafe partial class PosixSpawn
{
    public static (int Id, int Descriptor) Start(SpawnRequest request, IReadOnlyCollection<string> environment)
    {
        if (request.User is not null || request.NumberVariable is not null)
            throw new LinuxException($"start of {request.Program} as another user, or with its own number: this machine does not allow it", 38);
        var actions = stackalloc byte[512];
        var attributes = stackalloc byte[1024];
        var copies = new List<int>();
        using var strings = new NativeTexts();
        _ = InitializeActions(actions);
        _ = InitializeAttributes(attributes);
        try
        {
            SetAttributes(attributes, request.NewGroup);
            SetActions(actions, request, copies, strings);
            int id;
            var error = Spawn(&id, strings.Text(request.Program), actions, attributes, strings.List([request.Name ?? request.Program, .. request.Arguments]), strings.List(environment));
            if (error != 0)
                throw new LinuxException($"start of {request.Program}: posix_spawn", error);
            return (id, Adjust(id, request));
        }
        finally
        {
            _ = DestroyActions(actions);
            _ = DestroyAttributes(attributes);
            foreach (var copy in copies)
                _ = Libc.Close(copy);
        }
    }

    static void SetAttributes(byte* attributes, bool newGroup)
    {
        var set = stackalloc byte[128];
        new Span<byte>(set, 128).Clear();
        _ = SetSignalMask(attributes, set);
        set[(BrokenPipe - 1) / 8] = 1 << ((BrokenPipe - 1) % 8);
        _ = SetSignalDefaults(attributes, set);
        _ = SetFlags(attributes, (short)(ResetSignals | ResetMask | (newGroup ? OwnGroup : 0)));
    }

    static void SetActions(byte* actions, SpawnRequest request, List<int> copies, NativeTexts strings)
    {
        if (request.WorkingDirectory is { } folder)
            _ = AddChangeFolder(actions, strings.Text(folder));
        var above = 3;
        foreach (var (_, target) in request.Descriptors)
            above = Math.Max(above, target + 1);
        var targets = new HashSet<int>();
        foreach (var (source, target) in request.Descriptors)
        {
            var copy = Libc.Check(Libc.Control(source, DuplicateCloseOnExec, above), $"start of {request.Program}: copy of descriptor {source}");
            copies.Add(copy);
            _ = AddDuplicate(actions, copy, target);
            targets.Add(target);
        }

        if (request.InheritDescriptors)
            return;
        for (var unwanted = 3; unwanted < above; unwanted++)
        {
            if (!targets.Contains(unwanted))
                _ = AddClose(actions, unwanted);
        }

        _ = AddCloseFrom(actions, above);
    }

    /// <summary>What cannot be done before the program runs; a step that fails ends the program.</summary>
    static int Adjust(int id, SpawnRequest request)
    {
        var limit = stackalloc long[2];
        var descriptor = ProcessDescriptor.Open(id);
        try
        {
            Libc.Check(descriptor, "pidfd_open");
            foreach (var file in request.Cgroup?.MemberFiles ?? [])
                File.WriteAllText(file, $"{id}");
            if (request.Processors is { } processors)
            {
                var mask = stackalloc ulong[16];
                foreach (var processor in processors)
                    mask[processor / 64] |= 1UL << (processor % 64);
                Libc.Check(SetAffinity(id, 128, mask), $"sched_setaffinity to {string.Join(',', processors)}");
            }

            if (request.Niceness is { } niceness)
                Libc.Check(SetPriority(0, id, niceness), $"setpriority to {niceness}");
            foreach (var (resource, value) in request.Limits)
            {
                limit[0] = limit[1] = value;
                Libc.Check(SetLimit(id, (int)resource, limit, null), $"prlimit of {resource} to {value}");
            }

            return descriptor;
        }
        catch (Exception e)
        {
            if (descriptor >= 0)
            {
                ProcessDescriptor.Signal(descriptor, ProcessDescriptor.SIGKILL);
                ProcessDescriptor.Wait(descriptor, out _, out _);
                _ = Libc.Close(descriptor);
            }

            throw e is LinuxException linux ? new LinuxException($"start of {request.Program}: {linux.Call}", linux.Error) : e;
        }
    }

    /// <summary>Texts as the C library takes them.</summary>
    sealed class NativeTexts : IDisposable
    {
        readonly List<nint> _blocks = [];

        public byte* Text(string text)
        {
            var block = (byte*)Marshal.StringToCoTaskMemUTF8(text);
            _blocks.Add((nint)block);
            return text.Contains('\0') ? throw new ArgumentException("A NUL character cannot be handed to a program.") : block;
        }

        public byte** List(IReadOnlyCollection<string> texts)
        {
            var list = (byte**)Marshal.AllocCoTaskMem((texts.Count + 1) * sizeof(byte*));
            _blocks.Add((nint)list);
            var next = list;
            foreach (var text in texts)
                *next++ = Text(text);
            *next = null;
            return list;
        }

        public void Dispose() => _blocks.ForEach(Marshal.FreeCoTaskMem);
    }

    const int BrokenPipe = 13, OwnGroup = 2, ResetSignals = 4, ResetMask = 8, DuplicateCloseOnExec = 1030;

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int Spawn(int* id, byte* path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")] private static partial int InitializeActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")] private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")] private static partial int AddDuplicate(byte* actions, int source, int target);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclose")] private static partial int AddClose(byte* actions, int descriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")] private static partial int AddCloseFrom(byte* actions, int from);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np")] private static partial int AddChangeFolder(byte* actions, byte* path);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")] private static partial int InitializeAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")] private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")] private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")] private static partial int SetSignalMask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")] private static partial int SetSignalDefaults(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)] private static partial int SetAffinity(int id, nuint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)] private static partial int SetPriority(int which, int id, int niceness);

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)] private static partial int SetLimit(int id, int resource, long* limit, long* old);
}
