using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Skein.Cli;

/// <summary>The system calls for which the framework's own ways are too slow to load or do not keep the bytes as they are.</summary>
static partial class Native
{
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, Span<byte> bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint wanted, Span<byte> status);

    /// <summary>Whether something is there that is neither an ordinary file nor a folder: a device, a pipe, a socket.</summary>
    public static bool IsSpecial(string path)
    {
        const int Here = -100, Mode = 28, StatusSize = 256;   // the kernel's struct statx, of every processor
        const uint Type = 1;
        Span<byte> status = stackalloc byte[StatusSize];
        try
        {
            return Status(Here, path, 0, Type, status) == 0 && (BinaryPrimitives.ReadUInt16LittleEndian(status[Mode..]) & 0xF000) is not (0x8000 or 0x4000);
        }
        catch (EntryPointNotFoundException)   // an old C library
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    /// <summary>Replaces this process by another program; returns only if that failed. Both lists end with a null.</summary>
    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execute(string path, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    public static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "setsid")]
    public static partial int NewSession();

    [LibraryImport("libc", EntryPoint = "dup2")]
    public static partial int Duplicate(int descriptor, int other);

    /// <summary>For <see cref="Control"/>: a second descriptor, at least the one given, that programs which are started do not inherit.</summary>
    public const int DuplicateCloseOnExec = 1030;

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    public const int GetDescriptorFlags = 1, CloseOnExec = 1;

    [LibraryImport("libc", EntryPoint = "poll")]
    public static partial int Poll(Span<PollDescriptor> descriptors, nuint count, int milliseconds);

    /// <summary>Waits until a descriptor that does not wait by itself can be read or written, or has ended.</summary>
    public static void WaitFor(int descriptor, short events)
    {
        Span<PollDescriptor> one = [new(descriptor, events)];
        _ = Poll(one, 1, -1);   // interrupted: the caller tries again
    }

    public const short Readable = 1, Writable = 4;

    [StructLayout(LayoutKind.Sequential)]
    public readonly struct PollDescriptor(int descriptor, short events)
    {
        readonly int _descriptor = descriptor;
        readonly short _events = events;
        readonly short _returned;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    public static partial int WindowSize(int descriptor, nuint request, Span<ushort> rowsAndColumns);
}
