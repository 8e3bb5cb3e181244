using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein;

/// <summary>
/// A place where mobile processes run. Several nodes in one program behave as nodes of several machines do (whatever passes between them
/// is copied), which is what tests of mobile functions want.
/// <code>
/// var (a, b) = (new MobileNode("a"), new MobileNode("b"));
/// a.Connect(b);
/// b.Provide("ledger", ledger);
/// long total = await a.Start(() => Survey(["b"])).Completion;
/// </code>
/// </summary>
[StaysHere("a node belongs to its program. Its name travels")]
public sealed partial class MobileNode
{
    /// <summary>How long a process that is to move may wait for an ordinary task, where nothing else is said.</summary>
    internal static readonly TimeSpan MoveLimit = TimeSpan.FromSeconds(30);

    static long _numbers;

    readonly ConcurrentDictionary<string, object> _resources = new();
    readonly ConditionalWeakTable<object, string> _names = [];   // of the resources
    readonly ConcurrentDictionary<string, Resident> _residents = new();
    readonly string _prefix;
    int _count;

    /// <param name="name">What <c>Here.MoveTo</c> calls it. Two nodes that are connected differ in it.</param>
    /// <param name="time">The clock of its processes; by default the system's.</param>
    /// <param name="store">Where <c>Here.Checkpoint</c> keeps their images; without one they cannot be stored.</param>
    public MobileNode(string name, TimeProvider? time = null, MobileStore? store = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
        Time = time ?? TimeProvider.System;
        Store = store;
        var life = NextNumber();
        _prefix = $"{name}.{life.ToString("x", CultureInfo.InvariantCulture)}";
        _peers = new(name, life) { OnMessage = Take, OnReached = Reach, OnCut = Cut, OnEnded = LosePeer };
        _handovers = new(Time, _peers, NextNumber, MakeAsync);
        _remains[_prefix] = _letters = new(this, _prefix, new());
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How many processes are here now.</summary>
    public int Count => _residents.Count;

    internal TimeProvider Time { get; }

    internal MobileStore? Store { get; }

    /// <summary>What images of other frameworks are held against.</summary>
    internal FrameworkLayout Framework { get => field ?? FrameworkLayout.Own; init; }

    /// <summary>How long another node may take to answer the offer of a process, which stays then.</summary>
    internal TimeSpan AnswerLimit
    {
        init => _handovers.AnswerLimit = value;
    }

    /// <summary>It is emptied: what comes is refused, and what others want to start.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>Gives a process a thread: for now.</summary>
    internal Action<IThreadPoolWorkItem> Run { get; init; } = static process => ThreadPool.UnsafeQueueUserWorkItem(process, preferLocal: false);

    /// <summary>Lets processes and messages pass between two nodes of this program. Connect each with each where processes go on from one to the next.</summary>
    public void Connect(MobileNode peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (peer.Name == Name)
            throw new ArgumentException($"Both nodes are named {Name}.", nameof(peer));
        MemoryConnection.Join(_peers, peer._peers);
    }

    /// <summary>Gives processes that are here something of this node's own, by name: <c>Here.Resource&lt;T&gt;(name)</c>.</summary>
    public void Provide<T>(string name, T resource) where T : class
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(resource);
        _resources[name] = resource;
        _names.AddOrUpdate(resource, name);
    }

    /// <summary>Starts a mobile function.</summary>
    /// <param name="restartable">Whether it may be started again from its beginning (<see cref="MobileProcess.RestartOnAsync"/>): what it has captured is kept as it is now.</param>
    /// <exception cref="CannotTravelException">It may be restarted, and has captured something that belongs to this place.</exception>
    public MobileProcess Start(Func<Mobile> function, bool restartable = false)
    {
        ArgumentNullException.ThrowIfNull(function);
        return restartable ? Start(WithResult(function), restartable, function.Method.Module.Assembly)
            : Start<ValueTuple>(function.Method.Module.Assembly, () => function().Frame, static () => new MobileOutcome<ValueTuple>());
    }

    /// <inheritdoc cref="Start(Func{Mobile}, bool)"/>
    public MobileProcess<T> Start<T>(Func<Mobile<T>> function, bool restartable = false)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Start(function, restartable, function.Method.Module.Assembly);
    }

    MobileProcess<T> Start<T>(Func<Mobile<T>> function, bool restartable, Assembly module)
    {
        var beginning = restartable ? Encode(function) : null;
        Mobile<T> call = default;
        var process = Start<T>(module, () => (call = function()).Frame, () => new MobileOutcome<T> { Result = call.GetAwaiter().GetResult() });
        if (beginning is not null)
            process.MayRestart(beginning);
        return process;
    }

    static Func<Mobile<ValueTuple>> WithResult(Func<Mobile> function) => async () =>
    {
        await function();
        return default;
    };

    /// <summary>Lets a process go on here, from an image of it. This node hears how it ends.</summary>
    /// <exception cref="InvalidDataException">The bytes are no image of a mobile process, or one that was made with a version of .NET whose collections have other fields.</exception>
    /// <exception cref="ModuleVersionException">It is of another build of the application.</exception>
    /// <exception cref="CannotMoveException">It needs a resource that this node does not have.</exception>
    /// <exception cref="InvalidOperationException">The process is here already.</exception>
    public MobileProcess<T> Restore<T>(byte[] image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return (MobileProcess<T>)Restore(image, static (node, state) => new MobileProcess<T>(node, state.Id));
    }

    MobileProcess Restore(byte[] image, Func<MobileNode, MobileState, MobileProcess> newHandle)
    {
        var (state, finish) = ReadLiving(image);
        return Restore(state, finish, newHandle);
    }

    (MobileState, Action?) ReadLiving(byte[] image)
    {
        var (state, finish) = Read(image);
        return state.HasEnded
            ? throw new InvalidOperationException($"Mobile process {state.Id} has ended, and nothing is left of it but letters: MobileNode.RestoreAsync sends them.")
            : (state, finish);
    }

    MobileProcess Restore(MobileState state, Action? finish, Func<MobileNode, MobileState, MobileProcess> newHandle)
    {
        state.BeginAgain(Name, NextNumber());
        var process = newHandle(this, state);
        if (!_started.TryAdd(state.Id, new(process, Name, state.Sighting)))
        {
            state.Discard();
            throw new InvalidOperationException($"Mobile process {state.Id} was started at node {Name} and has not ended: two of it must not run.");
        }
        var resident = new Resident(this, state);
        if (!_residents.TryAdd(state.Id, resident))
        {
            _started.TryRemove(state.Id, out _);
            state.Discard();
            throw new InvalidOperationException($"Mobile process {state.Id} is at node {Name} and has not ended: two of it must not run.");
        }
        Settle(resident).Begin(new Arrival(finish, state.IsCommit));
        Adopt(state.Id, state.Sighting);
        return process;
    }

    /// <summary>Null when it has none of this name.</summary>
    internal object? FindResource(string name) => _resources.GetValueOrDefault(name);

    /// <summary>Null when it does not provide this object.</summary>
    internal string? NameOf(object resource) => _names.TryGetValue(resource, out var name) ? name : null;

    internal T Resource<T>(string name) where T : class => _resources.TryGetValue(name, out var resource)
        ? resource as T ?? throw new InvalidOperationException($"The resource {name} of node {Name} is a {resource.GetType().Name}, no {typeof(T).Name}.")
        : throw new InvalidOperationException($"Node {Name} has no resource named {name}: it is to be provided there (MobileNode.Provide).");

    MobileProcess<T> Start<T>(Assembly module, Func<MobileFrame?> function, Func<MobileOutcome> endedAtOnce) =>
        (MobileProcess<T>)Start(module, function, endedAtOnce, static (node, id) => new MobileProcess<T>(node, id));

    MobileProcess Start(Assembly module, Func<MobileFrame?> function, Func<MobileOutcome> endedAtOnce, Func<MobileNode, string, MobileProcess> newHandle)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{_prefix}.{Interlocked.Increment(ref _count)}");
        var process = newHandle(this, id);
        _started[id] = new(process, Name, 0);
        Settle(new(this, new(id, Name) { Space = Modules.Enter(module) })).Begin(new FirstTurn(function, endedAtOnce));
        return process;
    }

    /// <exception cref="CannotMoveException">It is closed.</exception>
    void RequireOpen()
    {
        if (IsClosed)
            throw new CannotMoveException($"Node {Name} is drained, and takes nothing.");
    }

    internal Resident Settle(Resident process)
    {
        _residents[process.Id] = process;
        _went.TryRemove(process.Id, out _);
        SayAgain(process.Id);
        return process;
    }

    /// <summary>Greater than every number that was given before, to whichever life of this node.</summary>
    long NextNumber() => (Time.GetUtcNow().ToUnixTimeMilliseconds() << 16) + Interlocked.Increment(ref _numbers);
}
