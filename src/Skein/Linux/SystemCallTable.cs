using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Skein;

/// <summary>
/// A list of system calls that a new process performs in order, the last one being execve. The child is made by clone3 and
/// shares our memory until it executes its program (we wait so long), so it must run neither managed code nor a library: either
/// could need a lock that another thread held when the child was made. What it runs is <see cref="Code"/>, a loop of two hundred
/// bytes over this table. Every call has a label, so a failure says which step of the start it was.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class SystemCallTable : IDisposable
{
    /// <summary>Arguments and environment end up here; pages that are not touched cost nothing. More than the kernel takes by default (2 MB).</summary>
    const int Size = 8 << 20;

    const int MaxEntries = 1024;

    static readonly delegate* unmanaged<CloneArguments*, nint, Entry*, Report*, nint> Walk = LoadCode();
    static nint _spare;

    readonly byte* _memory;
    readonly Entry* _entries;
    readonly Report* _report;
    readonly List<string> _labels = [];
    int _used;
    bool _disposed;

    public SystemCallTable()
    {
        _memory = (byte*)Interlocked.Exchange(ref _spare, 0);
        if (_memory is null)
        {
            var mapped = (nint)Map(null, Size, ReadWrite, PrivateAnonymous | NoReserve, -1, 0);
            _memory = mapped != -1 ? (byte*)mapped : throw LinuxException.Last($"mmap of {Size} bytes for the start of a program");
        }

        _report = (Report*)_memory;
        *_report = default;
        _entries = (Entry*)(_memory + 64);
        _used = 64 + (MaxEntries * sizeof(Entry));
    }

    /// <summary>True where the machine code exists and memory may be made executable; elsewhere programs start by posix_spawn.</summary>
    public static bool IsSupported => Walk is not null;

    /// <summary>Adds a call.</summary>
    /// <param name="label">What the call is for, as it should stand in an error.</param>
    /// <param name="indirect">One bit for each argument that is the address of its value (see <see cref="Cell"/>).</param>
    public SystemCallTable Add(string label, int number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0, int indirect = 0, Cell? result = null)
    {
        *NewEntry(label) = new() { Number = number, A = a, B = b, C = c, D = d, E = e, Flags = indirect, Result = result?.Address ?? 0 };
        return this;
    }

    /// <summary>Adds a call without arguments that must return just this value; any other ends the start with ESRCH.</summary>
    public SystemCallTable Expect(string label, int number, nint value)
    {
        *NewEntry(label) = new() { Number = number, Flags = ExpectResult, Expected = value };
        return this;
    }

    /// <summary>Adds a call whose failure does not matter.</summary>
    public SystemCallTable Try(string label, int number, nint a = 0, nint b = 0, nint c = 0, nint d = 0)
    {
        *NewEntry(label) = new() { Number = number, A = a, B = b, C = c, D = d, Flags = IgnoreFailure };
        return this;
    }

    /// <summary>A place that receives the result of one call, to be an argument of later ones.</summary>
    public Cell NewCell() => new((nint)Allocate(sizeof(nint)));

    /// <summary>The address of zeroed memory that lives as long as the table.</summary>
    public byte* Allocate(int bytes)
    {
        var start = (_used + 7) & ~7;
        if (bytes > Size - start)
            throw new ArgumentException($"The arguments and the environment of a program are larger than {Size >> 20} MB.");
        _used = start + bytes;
        new Span<byte>(_memory + start, bytes).Clear();
        return _memory + start;
    }

    /// <summary>The address of a text as the kernel reads it.</summary>
    public nint Text(string text)
    {
        if (text.Contains('\0'))
            throw new ArgumentException($"A NUL character cannot be handed to a program: '{text.Replace("\0", "\\0", StringComparison.Ordinal)}'.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        var address = Allocate(bytes + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(address, bytes));
        return (nint)address;
    }

    /// <summary>The address of a list of texts that ends with a null pointer.</summary>
    /// <param name="last">The address of one more text, or 0.</param>
    public nint Texts(IReadOnlyCollection<string> texts, nint last = 0)
    {
        var list = (nint*)Allocate((texts.Count + 2) * sizeof(nint));
        var next = list;
        foreach (var text in texts)
            *next++ = Text(text);
        *next = last;
        return (nint)list;
    }

    /// <summary>The address of a copy of a structure.</summary>
    public nint Value<T>(T value) where T : unmanaged
    {
        var address = (T*)Allocate(sizeof(T));
        *address = value;
        return (nint)address;
    }

    /// <summary>Makes the child and returns when it runs its program.</summary>
    /// <param name="group">The descriptor of the version 2 control group it is born in, or -1.</param>
    /// <exception cref="LinuxException">It could not be made, or a call failed: then nothing of it is left.</exception>
    public (int Id, int Descriptor) Run(string subject, int group = -1)
    {
        var descriptor = -1;
        var arguments = new CloneArguments
        {
            Flags = ShareMemory | WaitForExec | MakeDescriptor | ResetHandlers,
            Descriptor = (ulong)&descriptor,
        };
        if (group >= 0)
        {
            arguments.Flags |= IntoGroup;
            arguments.Group = (ulong)group;
        }

        // No exit signal: a child that fails before its program runs is nobody's business but ours. execve sets it to SIGCHLD.
        var id = Walk(&arguments, sizeof(CloneArguments), _entries, _report);
        if (id < 0)
            throw new LinuxException($"{subject}: clone3", (int)-id);
        if (_report->Error == 0)
            return ((int)id, descriptor);

        ProcessDescriptor.Wait(descriptor, out _, out _);
        _ = Libc.Close(descriptor);
        throw new LinuxException($"{subject}: {_labels[(int)(_report->Failed - _entries)]}", (int)_report->Error);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (Interlocked.CompareExchange(ref _spare, (nint)_memory, 0) != 0)
            _ = Unmap(_memory, Size);
    }

    Entry* NewEntry(string label)
    {
        if (_labels.Count == MaxEntries)
            throw new InvalidOperationException($"The start of a program takes more than {MaxEntries} system calls.");
        _labels.Add(label);
        return _entries + _labels.Count - 1;
    }

    /// <summary>Puts the code into memory of its own: first writable, then executable, never both.</summary>
    static delegate* unmanaged<CloneArguments*, nint, Entry*, Report*, nint> LoadCode()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        var page = Map(null, 4096, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)page == -1)
            return null;
        Code.CopyTo(new(page, 4096));
        if (Protect(page, 4096, ReadExecute) == 0)
            return (delegate* unmanaged<CloneArguments*, nint, Entry*, Report*, nint>)page;
        _ = Unmap(page, 4096);
        return null;
    }

    /// <summary>Where a result is kept.</summary>
    public readonly record struct Cell(nint Address);

    [StructLayout(LayoutKind.Sequential)]
    struct Entry
    {
        public nint Number, A, B, C, D, E, F, Result, Flags, Expected;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Report
    {
        public nint Error;
        public Entry* Failed;
    }

    /// <summary>struct clone_args of clone(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct CloneArguments
    {
        public ulong Flags, Descriptor, ChildId, ParentId, ExitSignal, Stack, StackSize, Tls, Ids, IdCount, Group;
    }

    const int IgnoreFailure = 0x100, ExpectResult = 0x200;
    const ulong ShareMemory = 0x100, WaitForExec = 0x4000, MakeDescriptor = 0x1000, ResetHandlers = 0x1_0000_0000, IntoGroup = 0x2_0000_0000;
    const int ReadWrite = 3, ReadExecute = 5, PrivateAnonymous = 0x22, NoReserve = 0x4000;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)] private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)] private static partial int Protect(void* address, nuint length, int protection);
}
