using System.Net;
using System.Threading.Channels;

namespace Skein;

/// <summary>
/// Channels between processes: <see cref="Channel{T}"/> over a pipe, a socket, shared memory, a message queue, a file or the network.
/// <code>
/// await using var channel = ProcessChannel.Create&lt;Page&gt;(ChannelKind.Pipe, capacity: 128);
/// await using var process = await Place.OsProcess.StartAsync(Pages.RenderAll, channel.Writer);
/// await foreach (var page in channel.Reader.ReadAllAsync())
///     Show(page);
/// </code>
/// </summary>
public static class ProcessChannel
{
    /// <summary>A new channel, both of whose ends are here until one is sent to another process.</summary>
    /// <param name="capacity">How many items may be in it before a writer waits.</param>
    /// <param name="address">For <see cref="ChannelKind.Tcp"/> and <see cref="ChannelKind.Udp"/>: where the reader listens; by default the loopback and any free port.</param>
    /// <exception cref="PlatformNotSupportedException">Kinds other than <see cref="ChannelKind.Memory"/> exist on Linux only.</exception>
    /// <exception cref="IOException">The system has no more of what the kind needs (descriptors, queues, disk).</exception>
    public static ProcessChannel<T> Create<T>(ChannelKind kind, int capacity = 64, IPEndPoint? address = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        if (kind == ChannelKind.Memory)
            return new MemoryChannel<T>(capacity);
        return OperatingSystem.IsLinux()
            ? new EndsChannel<T>(kind, capacity, address ?? new(IPAddress.Loopback, 0))
            : throw new PlatformNotSupportedException($"A {kind} channel between processes exists on Linux only; between threads ChannelKind.Memory serves everywhere.");
    }
}

/// <summary>A channel whose two ends may be in different processes. Dispose it to close the ends that are still here.</summary>
/// <remarks>
/// An end can be an argument of a process; it then belongs to that process and is closed here. The reader is complete once every
/// writer is: with <see cref="ChannelWriter{T}.Complete"/>, or with an error, which ends the channel at once. A writer that is killed,
/// or disposed before it completed, is an error too: <see cref="ChannelBrokenException"/>, after all that it had written whole.
/// </remarks>
public abstract class ProcessChannel<T> : Channel<T>, IAsyncDisposable
{
    private protected ProcessChannel(ChannelKind kind, int capacity)
    {
        Kind = kind;
        Capacity = capacity;
    }

    /// <summary>What carries the items.</summary>
    public ChannelKind Kind { get; }

    /// <summary>How many items may be in the channel before a writer waits.</summary>
    public int Capacity { get; }

    /// <summary>What this kind promises.</summary>
    public ChannelCapabilities Capabilities => Kind.Capabilities();

    /// <summary>A further writing end, to be sent to one more process. Before the first item is written and the first end is sent.</summary>
    /// <exception cref="InvalidOperationException">The channel is in use already.</exception>
    public abstract ChannelWriter<T> AddWriter();

    /// <summary>A further reading end; each item goes to one of them. Before the first item is written and the first end is sent.</summary>
    /// <exception cref="InvalidOperationException">The channel is in use already.</exception>
    public abstract ChannelReader<T> AddReader();

    /// <summary>Closes the ends that are still here. What a completed writer had accepted goes out first, for at most five seconds.</summary>
    public abstract ValueTask DisposeAsync();
}
