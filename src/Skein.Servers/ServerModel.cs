namespace Skein;

/// <summary>
/// One word for how a server serves: who runs its handler, and how many at a time. The handler is the same under each of them.
/// </summary>
/// <example>
/// <code>
/// builder.UseSkein(ServerModel.Dispatcher(threads: 16, queue: 64));                          // HTTP
/// await using var server = await SkeinServer.StartAsync(endpoint, handler, ServerModel.EventLoop);   // any other protocol
/// </code>
/// </example>
public sealed record ServerModel
{
    ServerModel(ServerModelKind kind, int threads = 0, int queue = 0, int workers = 0) => (Kind, Threads, Queue, Workers) = (kind, threads, queue, workers);

    /// <summary>One at a time, in order of arrival, on one thread; the others wait.</summary>
    public static ServerModel Iterative { get; } = new(ServerModelKind.Iterative, threads: 1, queue: int.MaxValue);

    /// <summary>A thread for each request (HTTP) or connection (streams), however many there are. Threads that are free are used again.</summary>
    public static ServerModel Threaded { get; } = new(ServerModelKind.Threaded, threads: int.MaxValue);

    /// <summary>
    /// One thread with calls that never wait; for HTTP, Kestrel as it is. A handler that blocks stops all others: over streams it is
    /// measured and warned about.
    /// </summary>
    public static ServerModel EventLoop { get; } = new(ServerModelKind.EventLoop);

    /// <summary>
    /// A number of threads that are there from the start, and a queue before them. What finds the queue full is refused at once.
    /// </summary>
    /// <param name="threads">How many handlers run at a time: at least 1.</param>
    /// <param name="queue">How many may wait for a thread: 0 refuses whatever finds all threads busy.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public static ServerModel Dispatcher(int threads, int queue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(queue);
        return new(ServerModelKind.Dispatcher, threads, queue);
    }

    /// <summary>
    /// Several processes on one listening socket. For HTTP each is the whole program, whose requests run on Kestrel's tasks, and the program that asks
    /// for them becomes their master and serves nothing itself. For streams each is a worker of this program that runs the handler as an event loop.
    /// Clients come to any of them: what a handler keeps in memory, one client's next connection may not find. On Linux.
    /// </summary>
    /// <param name="workers">How many processes serve: at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is too small.</exception>
    public static ServerModel Prefork(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        return new(ServerModelKind.Prefork, workers: workers);
    }

    /// <summary>The word alone.</summary>
    public ServerModelKind Kind { get; }

    /// <summary>How many handlers run at a time; 0 where the model has no threads of its own.</summary>
    public int Threads { get; }

    /// <summary>How many may wait for a thread.</summary>
    public int Queue { get; }

    /// <summary>How many processes serve; 0 where the program itself does.</summary>
    public int Workers { get; }

    /// <summary>As it is written: <c>Dispatcher(16, 64)</c>.</summary>
    public override string ToString() => Kind switch
    {
        ServerModelKind.Dispatcher => $"{Kind}({Threads}, {Queue})",
        ServerModelKind.Prefork => $"{Kind}({Workers})",
        _ => $"{Kind}",
    };
}

/// <summary>The words of <see cref="ServerModel"/>.</summary>
public enum ServerModelKind
{
    /// <inheritdoc cref="ServerModel.Iterative"/>
    Iterative,

    /// <inheritdoc cref="ServerModel.Threaded"/>
    Threaded,

    /// <inheritdoc cref="ServerModel.Dispatcher"/>
    Dispatcher,

    /// <inheritdoc cref="ServerModel.EventLoop"/>
    EventLoop,

    /// <inheritdoc cref="ServerModel.Prefork"/>
    Prefork,
}
