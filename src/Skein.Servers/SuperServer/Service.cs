using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>
/// One service of a <see cref="SuperServer"/>: where it listens, what is started for who comes, and its limits.
/// <code>
/// Service.Program("git", ServiceEndpoint.Tcp(IPAddress.Any, 9418), "git", "daemon", "--inetd", "/srv/git")
/// Service.Handler("calc", ServiceEndpoint.Tcp(IPAddress.Loopback, 8001), Calculator.ServeAsync) with { Limits = new() { InstancesPerSource = 10 } }
/// Service.BuiltIn("echo", ServiceEndpoint.Udp(IPAddress.Loopback, 7), BuiltInService.Echo)
/// </code>
/// </summary>
[SupportedOSPlatform("linux")]
public sealed record Service
{
    Service(string name, ServiceEndpoint endpoint) => (Name, Endpoint) = (name, endpoint);

    /// <summary>Starts a program for each connection, which is its standard input and output; or with <see cref="Waits"/> hands it the socket that listens.</summary>
    /// <param name="file">A path, or a name to be looked up in the folders of PATH.</param>
    public static Service Program(string name, ServiceEndpoint endpoint, string file, params IReadOnlyList<string> arguments)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(file);
        return new(name, endpoint) { File = file, Arguments = arguments };
    }

    /// <summary>Serves each connection by a C# function, in workers that are warm already.</summary>
    /// <param name="handler">A static method, or a lambda whose captured variables can travel. When its task completes, the connection is complete.</param>
    public static Service Handler(string name, ServiceEndpoint endpoint, Func<ConnectionContext, Task> handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(handler);
        return new(name, endpoint) { Function = handler };
    }

    /// <summary>Serves one of the simple protocols of the RFCs in the super-server itself.</summary>
    public static Service BuiltIn(string name, ServiceEndpoint endpoint, BuiltInService service)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(name, endpoint) { Protocol = service };
    }

    /// <summary>What it is called in messages; unique among the services of a server.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public ServiceEndpoint Endpoint { get; init; }

    /// <summary>The program; null: it is none.</summary>
    public string? File { get; private init; }

    /// <summary>What the program finds after its name.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>What the program finds as its own name; null: the path of its file.</summary>
    public string? ProgramName { get; init; }

    /// <summary>The handler; null: it is none.</summary>
    public Func<ConnectionContext, Task>? Function { get; private init; }

    /// <summary>The simple protocol; null: it is none.</summary>
    public BuiltInService? Protocol { get; private init; }

    /// <summary>
    /// The program gets the socket that listens, as descriptor 0 and as <c>LISTEN_FDS</c> (descriptor 3), when somebody comes; it accepts
    /// connections, or receives datagrams, itself. When it has ended, the next to come starts it again.
    /// </summary>
    public bool Waits { get; init; }

    /// <summary>A program that waits is started at once and whenever it has ended, without anybody having come.</summary>
    public bool StartsAtOnce { get; init; }

    /// <summary>A program that <see cref="StartsAtOnce"/> says itself when it is ready (<c>sd_notify</c>, <c>READY=1</c>); else it is when it runs.</summary>
    public bool Notifies { get; init; }

    /// <summary>The names of services that must be ready before this one can be reached.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>As whom the program runs; null: as the super-server.</summary>
    public string? User { get; init; }

    /// <summary>Its first group; null: that of the user.</summary>
    public string? Group { get; init; }

    /// <summary>Variables of the program's environment beside <c>PATH</c>, <c>HOME</c>, <c>USER</c>, <c>LANG</c>, <c>TZ</c>, <c>REMOTE_ADDR</c> and <c>REMOTE_PORT</c>.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Where the program begins; null: where the super-server did.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The connection is the program's standard error too, as under inetd; else that is the super-server's.</summary>
    public bool ErrorsToClient { get; init; }

    /// <summary>Only these networks may connect; empty: all.</summary>
    public IReadOnlyList<IPNetwork> Allow { get; init; } = [];

    /// <summary>These networks may not connect, also where they are allowed.</summary>
    public IReadOnlyList<IPNetwork> Deny { get; init; } = [];

    /// <summary>What it may use.</summary>
    public ServiceLimits Limits { get; init; } = new();

    /// <summary>Where a handler runs: <see cref="Place.OsProcess"/>, or <see cref="Place.Thread"/> for the super-server itself. Programs are always OS processes.</summary>
    public Place Place { get; init; } = Place.OsProcess;

    /// <summary>
    /// How many workers serve a handler. A client's next connection may come to another of them, which knows nothing of what the first has in memory:
    /// a handler that keeps sessions there wants 1.
    /// </summary>
    public int Workers { get; init; } = System.Environment.ProcessorCount;

    /// <summary>How many connections one worker serves at a time; what its crash costs. 1 to 200.</summary>
    public int ConnectionsPerWorker { get; init; } = 100;

    internal bool IsStream => Endpoint.Type == SocketType.Stream;

    /// <summary>It accepts connections itself; else it waits until its socket can be read.</summary>
    internal bool IsStreamOfConnections => IsStream && !Waits;

    /// <summary>A process for each connection.</summary>
    internal bool IsProgramPerConnection => File is not null && !Waits && IsStream;

    internal bool HasSameHandler(Service other) =>
        Function is not null && Function == other.Function && Place == other.Place && Workers == other.Workers
        && ConnectionsPerWorker == other.ConnectionsPerWorker && Limits.Memory == other.Limits.Memory
        && Limits.IdleTimeout == other.Limits.IdleTimeout && Limits.WallTime == other.Limits.WallTime;
}
