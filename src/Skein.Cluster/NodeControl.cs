using System.Globalization;
using System.Text.Json;

namespace Skein;

/// <summary>What a node answers on its control socket.</summary>
sealed class NodeControl(ClusterNode cluster, ServeLog log, NodePrograms programs, ClusterAuthority? authority)
{
    /// <summary>For a look at a process, and for its end.</summary>
    static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(10);

    readonly DateTimeOffset _started = TimeProvider.System.GetUtcNow();

    MobileNode Node => cluster.Node;

    public Task AnswerAsync(ControlRequest request) => request.Words switch
    {
        ["ps"] => request.DataAsync(json => WriteNode(json, Node.List(), programs.Running)),
        ["ps", var id] => request.DataAsync(json => WriteNode(json, Node.Look(id) is { } status ? [status] : [], programs.Running.Where(program => program.Key == id))),
        ["logs", ..] => LogsAsync(request),
        ["inspect", var id] => InspectAsync(request, id),
        ["move", var id, var node, var seconds] when TryTime(seconds, out var limit) => AskAsync(id, AskKind.Move, node, $"could not be moved to node {node}", limit),
        ["checkpoint", var id, var file, var seconds] when TryTime(seconds, out var limit) => CheckpointAsync(id, file, limit),
        ["restore", var file] => RestoreAsync(request, file),
        ["kill"] => EndAsync(request, isAtOnce: false),
        ["kill", "now"] => EndAsync(request, isAtOnce: true),
        ["kill", var id, ..] => KillAsync(id, request.Words is [_, _, "now"]),
        ["send", var id, var text] => SendAsync(id, text),
        ["drain"] => DrainAsync(request),
        ["upgrade", var file, var mode, var seconds] when TryTime(seconds, out var limit) => UpgradeAsync(request, file, isPreview: mode == "preview", limit),
        ["token", var address, var seconds, .. { Length: <= 1 } name] when TryTime(seconds, out var life) => TokenAsync(request, address, life, name.FirstOrDefault()),
        ["run", var folder, var mode, var name, .. var command] when command.Length > 0 => Node.IsClosed ? throw new ServeException($"Node {Node.Name} is drained, and takes nothing.")
            : programs.RunAsync(request, folder, isDetached: mode == "detached", name, command),
        ["reload" or "scale", ..] => throw new ServeException("A node serves no requests: it has nothing to reload, and no workers."),
        _ => throw new ServeException($"This node does not know '{string.Join(' ', request.Words)}'."),
    };

    Task LogsAsync(ControlRequest request)
    {
        cluster.TakeUnendedLines();
        return request.LogsAsync(log, cluster.Ended);
    }

    async Task InspectAsync(ControlRequest request, string id)
    {
        Require(id);
        if (programs.Find(id) is { } program)
        {
            await request.DataAsync(json => WriteProgram(json, id, program)).ConfigureAwait(false);
            return;
        }
        var answer = await AskAsync(id, AskKind.Inspect, "", "could not be looked at", LookLimit).ConfigureAwait(false);
        using var found = JsonDocument.Parse(answer.Data);
        await request.DataAsync(json =>
        {
            foreach (var member in found.RootElement.EnumerateObject())
                member.WriteTo(json);
        }).ConfigureAwait(false);
    }

    async Task<AskAnswer> AskAsync(string id, AskKind kind, string destination, string failure, TimeSpan limit)
    {
        Require(id);
        if (programs.Find(id) is not null)
            throw new ServeException($"{id} is a program: only mobile functions can move and be stored.");
        try
        {
            return await Node.AskAsync(id, kind, destination, failure, limit, CancellationToken.None).ConfigureAwait(false);
        }
        catch (CannotMoveException e)
        {
            throw new ServeException(e.Message, e) { IsLate = e.IsLate };
        }
        catch (NodeLostException e)
        {
            throw new ServeException(e.Message, e);
        }
    }

    async Task CheckpointAsync(string id, string file, TimeSpan limit)
    {
        var answer = await AskAsync(id, AskKind.Capture, "", "could not be written", limit).ConfigureAwait(false);
        try
        {
            var stream = new FileStream(file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            await using var _ = stream.ConfigureAwait(false);
            await stream.WriteAsync(answer.Data).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ServeException($"{file} cannot be written: {e.Message}", e);
        }
    }

    async Task RestoreAsync(ControlRequest request, string file)
    {
        try
        {
            var process = await Node.RestoreAsync(await File.ReadAllBytesAsync(file, request.Gone).ConfigureAwait(false), LookLimit).ConfigureAwait(false);
            await request.DataAsync(json => json.WriteString("id", process.Id)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ModuleVersionException or CannotMoveException or InvalidOperationException)
        {
            throw new ServeException($"{file} was not restored: {e.Message}", e);
        }
    }

    async Task KillAsync(string id, bool isAtOnce)
    {
        Require(id);
        if (programs.Find(id) is { } program)
        {
            await program.EndAsync(isAtOnce).ConfigureAwait(false);
            return;
        }
        Node.Deliver(id, new KillRequest());
        try
        {
            await Node.AskAsync(id, AskKind.Inspect, "", "was told to end, and has not", LookLimit, CancellationToken.None).ConfigureAwait(false);
        }
        catch (CannotMoveException e) when (e.IsEnd)
        {
            return;
        }
        catch (CannotMoveException e)
        {
            throw new ServeException(e.Message, e) { IsLate = e.IsLate };
        }
        throw new ServeException($"Process {id} was told to end, and has not.");
    }

    /// <summary>Of the node, whether or not who asks stays: that is told which processes end with it.</summary>
    Task EndAsync(ControlRequest request, bool isAtOnce) =>
        request.FollowAsync(log, () => cluster.AskToEndAsync(isAtOnce), line => line.Origin == Node.Name && line.Severity == LogSeverity.Warning ? line.Text : null);

    Task SendAsync(string id, string text)
    {
        Require(id);
        Node.Write(id, Letter.Of(null, text));
        return Task.CompletedTask;
    }

    async Task DrainAsync(ControlRequest request)
    {
        var staying = await cluster.DrainAsync(cancellation: request.Gone).ConfigureAwait(false);
        foreach (var (id, why) in staying)
            await request.SayAsync($"process {id} has to stay: {why}").ConfigureAwait(false);
        if (staying.Count > 0)
            throw new ServeException($"Node {Node.Name} takes nothing any more; {staying.Count} that it has {(staying.Count == 1 ? "stays" : "stay")}.");
    }

    async Task UpgradeAsync(ControlRequest request, string file, bool isPreview, TimeSpan limit)
    {
        IReadOnlyList<Upgraded> outcomes;
        try
        {
            using var build = Node.Load(file);
            outcomes = await (isPreview ? Node.PreviewUpgradeAsync(build, limit, request.Gone) : Node.UpgradeAsync(build, limit, request.Gone)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            throw new ServeException($"Node {Node.Name} cannot take {file}: {e.Message}", e);
        }
        foreach (var outcome in outcomes.OrderBy(static one => one.ProcessId, StringComparer.Ordinal))
            await request.DataAsync(json => Write(json, outcome, Node.Look(outcome.ProcessId)?.Name ?? "")).ConfigureAwait(false);
    }

    void Write(Utf8JsonWriter json, Upgraded outcome, string name)
    {
        json.WriteString("id", outcome.ProcessId);
        json.WriteString("name", name);
        json.WriteString("node", Node.Name);
        json.WriteBoolean("moved", outcome.WhyNot is null);
        if (outcome.WhyNot is { } why)
            json.WriteString("why", why);
        if (outcome.Function is { } function)
            json.WriteString("function", function);
        if (outcome.File is { } source)
            json.WriteString("file", source);
        if (outcome.Line is { } line)
            json.WriteNumber("line", line);
    }

    Task TokenAsync(ControlRequest request, string address, TimeSpan life, string? name)
    {
        if (authority is null || cluster.Listening is not { } listening)
            throw new ServeException($"Node {Node.Name} takes nobody from other machines: start it with --listen, without --join.");
        var reached = address.Length == 0 ? listening : System.Net.IPEndPoint.TryParse(address, out var given) ? given : throw new ServeException($"'{address}' is no address: 192.0.2.1:7000 is one.");
        if (reached.Address.Equals(System.Net.IPAddress.Any) || reached.Address.Equals(System.Net.IPAddress.IPv6Any))
            throw new ServeException($"Node {Node.Name} listens on all addresses of its machine: say by which of them it is reached (--address).");
        if (name is not null && NodeFolder.WhyNoName(name) is { } why)
            throw new ServeException(why);
        var token = authority.NewToken(reached, life, name);
        return request.DataAsync(json => json.WriteString("token", token));
    }

    void Require(string id)
    {
        if (!Node.IsKnown(id) && programs.Find(id) is null)
            throw new ServeException($"Node {Node.Name} knows no process {id}: it has ended, or never was. skein ps lists what runs.");
    }

    static bool TryTime(string seconds, out TimeSpan time)
    {
        var isTime = double.TryParse(seconds, CultureInfo.InvariantCulture, out var number) && number > 0 && number < TimeSpan.MaxValue.TotalSeconds;
        time = isTime ? TimeSpan.FromSeconds(number) : default;
        return isTime;
    }

    void WriteNode(Utf8JsonWriter json, IEnumerable<MobileStatus> processes, IEnumerable<KeyValuePair<string, NodeProgram>> running)
    {
        json.WriteString("id", Node.Name);
        json.WriteString("kind", "node");
        json.WriteString("name", Node.Name);
        json.WriteString("node", Node.Name);
        json.WriteString("state", Node.IsClosed ? "drained" : "serving");
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteString("started", _started);
        json.WriteStartArray("addresses");
        if (cluster.Listening is { } address)
            json.WriteStringValue(address.ToString());
        json.WriteEndArray();
        json.WriteStartArray("peers");
        foreach (var peer in Node.Peers.All.Where(static peer => !peer.IsGuest && peer.IsOpen))
            json.WriteStringValue(peer.Name);
        json.WriteEndArray();
        json.WriteStartArray("processes");
        foreach (var process in processes)
        {
            json.WriteStartObject();
            json.WriteString("id", process.Id);
            json.WriteString("kind", "mobile");
            json.WriteString("name", process.Name);
            json.WriteString("node", Node.Name);
            json.WriteString("state", process.State);
            json.WriteNumber("pid", Environment.ProcessId);
            if (process.Peer is { } peer)
                json.WriteString("peer", peer);
            if (process.Hops is { } hops)
                json.WriteNumber("hops", hops);
            json.WriteEndObject();
        }
        foreach (var (id, program) in running)
        {
            json.WriteStartObject();
            WriteProgram(json, id, program);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    void WriteProgram(Utf8JsonWriter json, string id, NodeProgram program)
    {
        json.WriteString("id", id);
        json.WriteString("kind", "program");
        json.WriteString("name", program.Name);
        json.WriteString("node", Node.Name);
        json.WriteString("state", program.Process.State.ToString().ToLowerInvariant());
        json.WriteNumber("pid", program.Process.OsProcessId);
    }
}
