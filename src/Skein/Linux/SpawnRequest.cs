namespace Skein;

/// <summary>What to start, and how. Whatever is not said here is as it is in this process.</summary>
/// <param name="Program">The absolute path of the executable file (<see cref="ProgramPath.Find"/>).</param>
/// <param name="Arguments">The arguments after the program's own name.</param>
sealed record SpawnRequest(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>What the program finds as its own name (<c>argv[0]</c>); null: its path.</summary>
    public string? Name { get; init; }

    /// <summary>All of it; null: what this process has at this moment.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Environment { get; init; }

    /// <summary>Null: that of this process.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// Which of our descriptors (source) the program finds open, and as which of its own (target). It sees no others, except for
    /// 0, 1 and 2, which are ours where they are not named, and for <see cref="InheritDescriptors"/>. Sources and targets may overlap in any way.
    /// </summary>
    public IReadOnlyList<(int Source, int Target)> Descriptors { get; init; } = [];

    /// <summary>It sees the others as well, as far as execve does not close them.</summary>
    public bool InheritDescriptors { get; init; }

    /// <summary>
    /// It is killed when this process ends, however it ends. Only the program itself is, not what it has started; and a program
    /// with set-user-id is not.
    /// </summary>
    public bool DieWithParent { get; init; } = true;

    /// <summary>
    /// Where it does not die with this process but ends by itself: a stopped one cannot, so it is continued when this process ends.
    /// </summary>
    public bool WakeWithoutParent { get; init; }

    /// <summary>-20 (most favoured) to 19.</summary>
    public int? Niceness { get; init; }

    /// <summary>The numbers of the processors it may run on.</summary>
    public IReadOnlyList<int>? Processors { get; init; }

    public IReadOnlyList<ResourceLimit> Limits { get; init; } = [];

    /// <summary>The user as whom it runs; null: ours. Only root may choose.</summary>
    public UserAccount? User { get; init; }

    /// <summary>A variable of its environment that holds its own number in decimal digits, which nobody knows before it exists (<c>LISTEN_PID</c>).</summary>
    public string? NumberVariable { get; init; }

    /// <summary>The control group it is born in.</summary>
    public Cgroup? Cgroup { get; init; }

    /// <summary>It leads a process group of its own: a signal from the terminal does not reach it.</summary>
    public bool NewGroup { get; init; } = true;
}

/// <summary>An upper limit that the kernel holds a process to (getrlimit(2)).</summary>
/// <param name="Value">Bytes, seconds or a count.</param>
readonly record struct ResourceLimit(LimitedResource Resource, long Value);

/// <summary>What can be limited; the values are the kernel's.</summary>
enum LimitedResource
{
    ProcessorSeconds = 0,
    FileSize = 1,
    DataSize = 2,
    StackSize = 3,
    CoreSize = 4,
    OpenFiles = 7,
    AddressSpace = 9,
}
