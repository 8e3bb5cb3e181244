using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// Memory that processes share: an anonymous file (memfd), mapped here; another process maps the same descriptor after it was
/// inherited or passed over a socket. Pages that nobody touched cost nothing, so a region may be far larger than what is used of it.
/// </summary>
[SupportedOSPlatform("linux")]
sealed unsafe partial class MemoryRegion : IDisposable
{
    byte* _pointer;
    int _descriptor;

    MemoryRegion(int descriptor, nuint size)
    {
        _descriptor = descriptor;
        Size = size;
        var address = Map(null, size, ReadWrite, Shared | NoReserve, descriptor, 0);
        if ((nint)address == -1)
        {
            var error = LinuxException.Last($"mmap of {size} bytes");
            _ = Libc.Close(descriptor);
            throw error;
        }

        _pointer = (byte*)address;
    }

    /// <summary>The descriptor to hand over; it is closed in programs that are not given it.</summary>
    public int Descriptor => _descriptor;

    /// <summary>In bytes.</summary>
    public nuint Size { get; }

    /// <summary>The first byte.</summary>
    public byte* Pointer => _pointer;

    /// <summary>A new region of zeros.</summary>
    public static MemoryRegion Create(string name, nuint size)
    {
        var descriptor = Libc.Check(MemoryFile(name, MemoryFileCloseOnExec), "memfd_create");
        if (Truncate(descriptor, (nint)size) < 0)
        {
            var error = LinuxException.Last($"ftruncate of shared memory to {size} bytes");
            _ = Libc.Close(descriptor);
            throw error;
        }

        return new(descriptor, size);
    }

    /// <summary>The region behind a descriptor that another process handed over; the region owns the descriptor from now on.</summary>
    public static MemoryRegion Open(int descriptor, nuint size) => new(descriptor, size);

    /// <summary>Gives the pages of a range back to the system; they read as zeros afterwards.</summary>
    public void Discard(nuint offset, nuint length) => _ = Advise(_pointer + offset, length, Remove);

    /// <summary>Closes the descriptor; what is mapped stays.</summary>
    public void CloseDescriptor()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is >= 0 and var open)
            _ = Libc.Close(open);
    }

    /// <summary>Unmaps the memory: the caller knows that nobody looks at it any more. Otherwise leave it to the collector.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    ~MemoryRegion() => Release();

    void Release()
    {
        var pointer = _pointer;
        _pointer = null;
        if (pointer is not null)
            _ = Unmap(pointer, Size);
        CloseDescriptor();
    }

    const int ReadWrite = 3, Shared = 1, NoReserve = 0x4000, Remove = 9;
    const uint MemoryFileCloseOnExec = 1;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)] private static partial int Truncate(int descriptor, nint length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)] private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)] private static partial int Advise(void* address, nuint length, int advice);
}
