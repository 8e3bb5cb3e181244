using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>
/// A mailbox in a file: whoever has the lock reads where it begins and ends, appends a record or takes the first one, and writes
/// down the new limits last. Killed before that, it has changed nothing; the kernel gives the lock to the next one.
/// </summary>
/// <remarks>
/// The file has no name from the beginning: nothing is left behind, whoever dies. It is nevertheless a file, in the temporary
/// folder, and its size is bounded by that disk.
/// <code>0 begin  8 end  16 records: length u32, bytes</code>
/// </remarks>
[SupportedOSPlatform("linux")]
sealed unsafe partial class FilePort(int descriptor) : PacketPort
{
    const int FirstRecord = 16, HoleEvery = 1 << 20;
    const int Attempts = 200;

    readonly byte[] _record = new byte[4 + 256 * 1024];
    int _descriptor = descriptor;
    bool _contended;

    public static (FilePort Reader, FilePort Writer) Create()
    {
        // O_TMPFILE is not known to every file system: create, open, unlink works everywhere.
        var path = Path.Combine(Path.GetTempPath(), $"skein-{Guid.NewGuid():n}.mailbox");
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,   // other users could read the mail, before it loses its name
        });
        var file = stream.SafeFileHandle;
        try
        {
            RandomAccess.Write(file, MemoryMarshal.AsBytes<long>([FirstRecord, FirstRecord]), 0);
            var plain = (int)file.DangerousGetHandle();
            return (new(Descriptor.Reopen(plain)), new(Descriptor.Reopen(plain)));
        }
        finally
        {
            File.Delete(path);
        }
    }

    public override int MaxPacket => 256 * 1024;

    public override bool IsContended => _contended;

    public override int[] Descriptors => [_descriptor];

    public override int[] DescriptorsForAnother() => [Descriptor.Reopen(_descriptor)];   // the lock belongs to the open file

    public override PortResult TryWrite(ReadOnlySpan<byte> packet)
    {
        if (!Lock())
            return PortResult.Later;
        try
        {
            var (begin, end) = Limits;
            BitConverter.TryWriteBytes(_record, packet.Length);
            packet.CopyTo(_record.AsSpan(4));
            Write(_record.AsSpan(0, 4 + packet.Length), end);
            Limits = (begin, end + 4 + packet.Length);
            return PortResult.Moved;
        }
        finally
        {
            FileLock.Release(_descriptor, 0);
        }
    }

    public override PortResult TryRead(Span<byte> buffer, out int length)
    {
        length = 0;
        if (!Lock())
            return PortResult.Later;
        try
        {
            var (begin, end) = Limits;
            if (begin == end)
                return PortResult.Later;
            var read = Read(_record, begin);
            length = BitConverter.ToInt32(_record);
            if (length < 0 || length + 4 > read)
                throw new InvalidDataException($"The channel's file is corrupt: a record of {length} bytes.");
            _record.AsSpan(4, length).CopyTo(buffer);
            Free(begin, begin + 4 + length, end);
            return PortResult.Moved;
        }
        finally
        {
            FileLock.Release(_descriptor, 0);
        }
    }

    public override void Dispose() => Descriptor.Close(ref _descriptor);

    /// <summary>The other side has the lock for a few microseconds at a time: so a few attempts, then later.</summary>
    bool Lock()
    {
        for (var i = 0; i < Attempts; i++)
        {
            if (FileLock.TryTake(_descriptor, 0))
            {
                _contended = false;
                return true;
            }

            Thread.Yield();
        }

        _contended = true;
        return false;
    }

    (long Begin, long End) Limits
    {
        get
        {
            Span<long> limits = stackalloc long[2];
            Read(MemoryMarshal.AsBytes(limits), 0);
            return (limits[0], limits[1]);
        }
        set => Write(MemoryMarshal.AsBytes<long>([value.Begin, value.End]), 0);
    }

    /// <summary>An empty mailbox begins anew; one that is never empty gives back what was read, a megabyte at a time.</summary>
    void Free(long from, long to, long end)
    {
        if (to == end)
        {
            Limits = (FirstRecord, FirstRecord);
            if (end > HoleEvery)
                _ = Truncate(_descriptor, FirstRecord);
            return;
        }

        Limits = (to, end);
        if (to / HoleEvery != from / HoleEvery)
            _ = Allocate(_descriptor, PunchHole, 4096, (nint)(to / HoleEvery * HoleEvery - 4096));
    }

    int Read(Span<byte> bytes, long offset)
    {
        fixed (byte* first = bytes)
            return (int)Libc.Check(ReadAt(_descriptor, first, (nuint)bytes.Length, (nint)offset), "pread of a channel's file");
    }

    void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* first = bytes)
        {
            if (Libc.Check(WriteAt(_descriptor, first, (nuint)bytes.Length, (nint)offset), "pwrite to a channel's file") != bytes.Length)
                throw new LinuxException("pwrite to a channel's file", Libc.ENOSPC);
        }
    }

    const int PunchHole = 3;   // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)] private static partial nint ReadAt(int file, byte* bytes, nuint length, nint offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)] private static partial nint WriteAt(int file, byte* bytes, nuint length, nint offset);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)] private static partial int Truncate(int file, nint length);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)] private static partial int Allocate(int file, int mode, nint offset, nint length);
}
