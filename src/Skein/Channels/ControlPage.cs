using System.Runtime.Versioning;
using System.Text;

namespace Skein;

/// <summary>
/// The first page of a channel's shared memory: what both sides must know and the kernel's channel cannot tell. Nothing in it needs
/// a lock: each word is changed by one atomic operation, and a process killed between two of them leaves a valid page.
/// </summary>
/// <remarks>
/// <code>
/// 0 capacity       16 readers opened      32 a writer's pid     64 items in flight     192 writers asleep
/// 4 kind           20 readers closed      36 a reader's pid    128 readers asleep      256 error: state, lengths, text
/// 8 writers opened 24 an end was used    40 the writer that failed
/// 12 writers done
/// </code>
/// </remarks>
[SupportedOSPlatform("linux")]
readonly unsafe struct ControlPage(byte* page)
{
    public const int Size = 4096;
    const int MostText = 1800;

    readonly byte* _page = page;

    public ref int Capacity => ref Word(0);

    public ref int WritersOpened => ref Word(8);

    /// <summary>Writers that said that they were done; the others, once gone, have died.</summary>
    public ref int WritersDone => ref Word(12);

    public ref int ReadersOpened => ref Word(16);

    public ref int ReadersClosed => ref Word(20);

    /// <summary>1 once an item was written or an end has left: no end can be added any more.</summary>
    public ref int Used => ref Word(24);

    public ref int WriterProcess => ref Word(32);

    public ref int ReaderProcess => ref Word(36);

    /// <summary>Which writer completed with an error; when <see cref="Failed"/>.</summary>
    public int FailedWriter => Word(40);

    public ref int InFlight => ref Word(64);

    /// <summary>How many readers want to be told when an item comes. A killed sleeper leaves its count: then bells ring in vain, no more.</summary>
    public ref int ReadersAsleep => ref Word(128);

    public ref int WritersAsleep => ref Word(192);

    public bool SharedByWriters => Volatile.Read(ref WritersOpened) > 1;

    public bool SharedByReaders => Volatile.Read(ref ReadersOpened) > 1;

    /// <summary>Takes the room of one item; false when the channel is full.</summary>
    public bool TryTakeRoom()
    {
        int seen;
        do
        {
            if ((seen = Volatile.Read(ref InFlight)) >= Capacity)
                return false;
        }
        while (Interlocked.CompareExchange(ref InFlight, seen + 1, seen) != seen);
        return true;
    }

    /// <summary>Gives back the room of one item. Never below nothing: a reader may have declared the room of a dead writer free.</summary>
    public void GiveRoom()
    {
        int seen;
        do
        {
            if ((seen = Volatile.Read(ref InFlight)) <= 0)
                return;
        }
        while (Interlocked.CompareExchange(ref InFlight, seen - 1, seen) != seen);
    }

    /// <summary>True once a writer has completed with an error.</summary>
    public bool Failed => Volatile.Read(ref Word(256)) == 2;

    public void Fail(Exception error, int writer)
    {
        if (Interlocked.CompareExchange(ref Word(256), 1, 0) != 0)
            return;   // the first error counts
        Word(40) = writer;
        Word(260) = Write(264, error.GetType().FullName ?? "Exception");
        Word(2064) = Write(2068, error.Message);
        Volatile.Write(ref Word(256), 2);
    }

    public RemoteChannelException Error => new(Read(Word(260), 264), Read(Word(2064), 2068));

    int Write(int offset, string text)
    {
        Encoding.UTF8.GetEncoder().Convert(text, new(_page + offset, MostText), true, out _, out var bytes, out _);
        return bytes;
    }

    string Read(int length, int offset) => Encoding.UTF8.GetString(_page + offset, Math.Clamp(length, 0, MostText));

    ref int Word(int offset) => ref *(int*)(_page + offset);
}
