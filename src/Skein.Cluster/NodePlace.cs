using System.Reflection;

namespace Skein;

/// <summary>
/// A node of this user on this machine, as a place: what is started there is a mobile process of that node. It needs no connection with who has
/// started it, may go on elsewhere, and outlives it.
/// <code>
/// await using var survey = await Place.Node("a").StartAsync(Survey, nodes);
/// long total = await survey.Completion;
/// </code>
/// </summary>
/// <remarks>
/// Ordinary functions run there, too, on a thread of their own. Tokens, progress and callbacks belong to who starts it, and are refused. The node must take the
/// code (<see cref="ClusterOptions.Code"/>).
/// </remarks>
public sealed class NodePlace : Place
{
    readonly NodeFolder _folder;

    internal NodePlace(string name, string? folder)
    {
        NodeFolder.CheckName(name, folder ?? NodesRoot.Folder);
        Name = name;
        _folder = new(folder);
    }

    /// <summary>The name of the node.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override string ToString() => $"Node({Name})";

    /// <summary>Not possible: what a node runs are functions.</summary>
    public override Task<Process<int>> StartProgramAsync(ProgramStart program, CancellationToken cancellation = default) =>
        throw new NotSupportedException($"A program cannot move, so it is no process of a node: start {program?.Program} in Place.OsProcess.");

    /// <summary>Starts a mobile function that is known by reflection.</summary>
    /// <param name="function">A static one that returns <see cref="Mobile"/> or <see cref="Mobile{T}"/>.</param>
    /// <param name="arguments">As many as it has parameters.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="CannotTravelException">An argument cannot leave this process.</exception>
    /// <exception cref="PlaceException">The node does not run, or does not take it.</exception>
    public Task<Process<object?>> StartAsync(MethodInfo function, IReadOnlyList<object?> arguments, CancellationToken cancellation = default) =>
        StartAsync<object?>(CalledFunction.Of(function, arguments), new(), true, cancellation);

    /// <summary>The same for a process that nobody hears of: its id.</summary>
    /// <inheritdoc cref="StartAsync(MethodInfo, IReadOnlyList{object?}, CancellationToken)"/>
    public async Task<string> StartDetachedAsync(MethodInfo function, IReadOnlyList<object?> arguments, CancellationToken cancellation = default)
    {
        var process = (NodeProcess<object?>)await StartAsync<object?>(CalledFunction.Of(function, arguments), new(), false, cancellation).ConfigureAwait(false);
        await process.LeaveAsync().ConfigureAwait(false);
        return process.Id;
    }

    internal override Task<Worker> StartWorkerAsync(string id, IWorkerOwner owner, ProcessOptions options, CancellationToken cancellation) =>
        throw new NotSupportedException("The workers of a pool are processes of this machine's own: Place.OsProcess or Place.Thread.");

    internal override Task<Process<TResult>> StartAsync<TResult>(Job<TResult> job, ProcessOptions? options, CancellationToken cancellation)
    {
        job.RequireFunction();
        Check(options);
        return StartAsync<TResult>(
            new MobileStart<TResult>(job is MobileJob<TResult> mobile ? mobile.Call : new OrdinaryFunction<TResult>(job).Run, job.Function),
            (options ?? new()).Checked(), true, cancellation);
    }

    async Task<Process<TResult>> StartAsync<TResult>(MobileStart start, ProcessOptions options, bool isHeard, CancellationToken cancellation)
    {
        var guest = await GuestConnection.OpenAsync(_folder, Name, cancellation).ConfigureAwait(false);
        var started = await guest.StartAsync(start, isHeard, cancellation).ConfigureAwait(false);
        return new NodeProcess<TResult>(this, guest, started, options, isHeard, cancellation);
    }

    static void Check(ProcessOptions? options)
    {
        if (options is { MemoryLimit: not null } or { Niceness: not null } or { Processors: not null } or { WorkingDirectory: not null } or { Environment.Count: > 0 } or { OnOutput: not null } or { OnError: not null })
            throw new NotSupportedException("A process of a node shares memory, folder, environment, priority and standard streams with the others there: it cannot be held to these options. Use Place.OsProcess.");
    }
}

/// <summary>The word for it.</summary>
public static class NodePlaces
{
    extension(Place)
    {
        /// <summary>A node of this user on this machine, by its name. It need not run yet.</summary>
        /// <param name="name">Of the node.</param>
        /// <param name="folder">Where nodes find each other, as <see cref="ClusterOptions.Folder"/>.</param>
        public static NodePlace Node(string name, string? folder = null) => new(name, folder);
    }
}
