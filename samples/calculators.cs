// Four calculators, four ways to serve: one that remembers nothing (a thread for each connection), one that keeps a session for each
// client (one thread for all, so that no session needs a lock), one that hands whole requests to a fixed number of threads, and one for a
// container, over HTTP, configured by its environment. Each prints its name and address when it listens.
//
//   dotnet run samples/calculators.cs
//   dotnet run samples/calculators.cs -- --stateless 8001 --stateful 8002 --dispatcher 9999 --http 8000      0: a free port
//
// Try, one JSON object a connection:
//   echo '{"operation": "divide", "a": 1, "b": 4}' | nc 127.0.0.1 8001
//   echo '{"operation": "calculate", "a": 10, "b": 5}' | nc 127.0.0.1 8002      then use_last, undo, history, stats with its session_id
//   curl -d '{"operation": "multiply", "a": 6, "b": 7}' http://127.0.0.1:8000/calculate      and GET /health, GET /info

#:project ../src/Skein.Servers
using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Skein;

[assembly: SupportedOSPlatform("linux")]

const int Threads = 8;
try
{
    var settings = Settings.Of(args);
    using var sessions = new Sessions();
    var options = new StreamServerOptions { HalfClose = true, MaxConnections = 1000, Receive = ReceiveAsync };
    await using var stateless = await SkeinServer.StartAsync(At("stateless"), Serve(request => Calculate(request, "server_type", "stateless")), ServerModel.Threaded, options);
    Say("stateless", stateless.EndPoint);
    await using var stateful = await SkeinServer.StartAsync(At("stateful"), Serve(request => Stateful(request, sessions)), ServerModel.EventLoop, options);
    Say("stateful", stateful.EndPoint);
    await using var dispatcher = await SkeinServer.StartAsync(At("dispatcher"), Serve(request => Calculate(request, "worker", ServerThread.Current!.Number)), ServerModel.Dispatcher(Threads, queue: 1000), options);
    Say("dispatcher", dispatcher.EndPoint);
    await using var http = HttpCalculator.Build(new IPEndPoint(settings.Host, settings.Ports["http"]), settings.Workers);
    await http.StartAsync();
    Say("http", IPEndPoint.Parse(http.Urls.Single().Replace("http://", "", StringComparison.Ordinal)));

    http.Lifetime.ApplicationStopping.Register(() =>
    {
        foreach (var server in new[] { stateless, stateful, dispatcher })
            _ = server.StopAsync();   // all four at once: accept no more, serve what runs
    });
    await http.WaitForShutdownAsync();
    return 0;

    IPEndPoint At(string name) => new(IPAddress.Loopback, settings.Ports[name]);
}
catch (Exception error) when (error is FormatException or IOException or SocketException)
{
    Console.Error.WriteLine($"calculators: {error.Message}");
    return error is FormatException ? 64 : 69;
}

static void Say(string name, EndPoint address) => Console.WriteLine($"{name} {address}");

// One request a connection. It is read before a thread is taken for it: who stops in the middle of it holds up nobody else.
static async Task ReceiveAsync(ConnectionContext connection) =>
    connection.Items[typeof(Request)] = await Request.ReadAsync(connection.Transport.Input, TimeSpan.FromSeconds(5));

// What the server says is one line; then it ends the connection.
static ConnectionDelegate Serve(Func<Request, JsonObject> answer) => async connection =>
{
    using var request = (Request)connection.Items[typeof(Request)]!;
    await connection.Transport.Output.WriteAsync(Request.Bytes(answer(request)));
};

static JsonObject Calculate(Request request, string name, JsonNode value)
{
    var answer = Calculator.Answer(() => Calculator.Calculate(request.Root));
    answer[name] = value;
    return answer;
}

static JsonObject Stateful(Request request, Sessions sessions)
{
    Session? session = null;
    var answer = Calculator.Answer(() =>
    {
        session = sessions.Of(Calculator.Text(request.Root, "session_id"));
        return sessions.Serve(session, request.Root);
    });
    answer["session_id"] = session?.Id;
    return answer;
}

/// <summary>What all four have in common: the operations, and how an error is answered.</summary>
static class Calculator
{
    public static JsonObject Answer(Func<JsonObject> answer)
    {
        try
        {
            return answer();
        }
        catch (RefusedException error)
        {
            return new() { ["error"] = error.Message, ["result"] = null };
        }
    }

    public static JsonObject Calculate(JsonElement request) =>
        new() { ["result"] = Result(Operation(request, "operation", null), Operand(request, "a"), Operand(request, "b")) };

    public static double Result(string operation, double a, double b)
    {
        if (operation == "divide" && b == 0)
            throw new RefusedException("Division by zero.");
        var result = operation switch
        {
            "add" => a + b,
            "subtract" => a - b,
            "multiply" => a * b,
            _ => a / b,
        };
        return double.IsFinite(result) ? result : throw new RefusedException("The result is out of range.");
    }

    public static string Operation(JsonElement request, string name, string? byDefault) =>
        byDefault is not null && (!request.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) ? byDefault
            : Text(request, name) is "add" or "subtract" or "multiply" or "divide" ? Text(request, name)!
            : throw new RefusedException($"Unknown operation: '{name}' is one of add, subtract, multiply, divide.");

    public static double Operand(JsonElement request, string name)
    {
        if (!request.TryGetProperty(name, out var value))
            throw new RefusedException($"Operand '{name}' is missing.");
        if (value.ValueKind != JsonValueKind.Number)
            throw new RefusedException($"Operand '{name}' is not a number.");
        return value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw new RefusedException($"Operand '{name}' is out of range.");
    }

    public static string? Text(JsonElement request, string name)
    {
        try
        {
            return request.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;   // half of a surrogate pair, which is JSON and no text
        }
    }
}

/// <summary>A request that cannot be served; its client is told why.</summary>
sealed class RefusedException(string message) : Exception(message);

/// <summary>The session of one client: what it has calculated, oldest first.</summary>
sealed class Session
{
    readonly long _started = TimeProvider.System.GetTimestamp();

    public string Id { get; set; } = "";

    public TimeSpan Age => TimeProvider.System.GetElapsedTime(_started);

    public List<(string Operation, double Result)> History { get; } = [];

    public double? LastResult => History.Count > 0 ? History[^1].Result : null;
}

/// <summary>The sessions of the stateful calculator. One thread serves all its connections, so what is in a session is not locked.</summary>
sealed class Sessions : IDisposable
{
    const int LongestHistory = 1000;   // what comes in from outside must not grow without end

    readonly SessionTable<Session> _sessions = new(new() { MaxSessions = 10_000, IdleTimeout = TimeSpan.FromMinutes(30) });

    /// <summary>The one that the id names; a new one if there is none: ids are never taken from a client.</summary>
    public Session Of(string? id)
    {
        if (_sessions.TryGet(id, out var known))
            return known;
        var session = new Session();
        session.Id = _sessions.Create(session);
        return session;
    }

    public void Dispose() => _sessions.Dispose();

    public JsonObject Serve(Session session, JsonElement request) => Calculator.Text(request, "operation") switch
    {
        "start_session" => new() { ["message"] = "The session has started.", ["server_type"] = "stateful" },
        "calculate" => Record(session, request, Calculator.Operand(request, "a")),
        "use_last" => Record(session, request, session.LastResult ?? throw new RefusedException("There is no last result.")),
        "undo" => Undo(session),
        "history" => new()
        {
            ["history"] = new JsonArray([.. session.History.Select(Entry)]),
            ["operation_count"] = session.History.Count,
            ["last_result"] = session.LastResult,
        },
        "stats" => new() { ["total_sessions"] = _sessions.Count, ["your_operations"] = session.History.Count, ["session_age"] = session.Age.TotalSeconds },
        "end_session" => End(session),
        _ => throw new RefusedException("Unknown operation: it is one of start_session, calculate, use_last, undo, history, stats, end_session."),
    };

    static JsonObject Record(Session session, JsonElement request, double a)
    {
        var (operation, b) = (Calculator.Operation(request, "op", "add"), Calculator.Operand(request, "b"));
        var result = Calculator.Result(operation, a, b);
        if (session.History.Count == LongestHistory)
            session.History.RemoveAt(0);
        session.History.Add((string.Create(CultureInfo.InvariantCulture, $"{a} {operation} {b}"), result));
        return new() { ["result"] = result, ["operation"] = session.History[^1].Operation };
    }

    static JsonObject Undo(Session session)
    {
        if (session.History.Count == 0)
            throw new RefusedException("There is nothing to undo.");
        var undone = Entry(session.History[^1]);
        session.History.RemoveAt(session.History.Count - 1);
        return new() { ["undone"] = undone, ["last_result"] = session.LastResult };
    }

    JsonObject End(Session session)
    {
        _sessions.Remove(session.Id);
        return new() { ["message"] = "The session has ended." };
    }

    static JsonNode Entry((string Operation, double Result) entry) => new JsonObject { ["operation"] = entry.Operation, ["result"] = entry.Result };
}

/// <summary>What a client has sent: one JSON object, or the reason why it is none.</summary>
sealed class Request : IDisposable
{
    public const int Longest = 2 << 20;

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };   // it goes into no HTML

    readonly JsonDocument? _document;
    readonly string _problem = "";

    Request(string problem) => _problem = problem;

    Request(in ReadOnlySequence<byte> text)
    {
        try
        {
            var bytes = text.ToArray();
            _document = Utf8.IsValid(bytes) ? JsonDocument.Parse(bytes) : null;
            _problem = "The request is not JSON.";
        }
        catch (JsonException error)
        {
            _problem = NotJson(error);
        }

        if (_document is { RootElement.ValueKind: not JsonValueKind.Object })
            (_document, _problem) = (null, "The request is not a JSON object.");
    }

    public JsonElement Root => _document?.RootElement ?? throw new RefusedException(_problem);

    public static Request Of(in ReadOnlySequence<byte> whole) => new(whole);

    /// <summary>Reads up to the object's end: the client need not say that it sends no more.</summary>
    public static async Task<Request> ReadAsync(PipeReader input, TimeSpan patience)
    {
        using var late = new CancellationTokenSource(patience);
        var (state, scanned, seen, isInside) = (new JsonReaderState(), 0L, 0L, false);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(late.Token);
                var rest = read.Buffer.Slice(scanned);
                if (read.IsCompleted || !isInside || MayEndToken(read.Buffer.Slice(seen)))
                {
                    if (FindEnd(rest, ref state, out var length))
                        return new(read.Buffer.Slice(0, scanned + length));
                    scanned += length;
                    isInside = length == 0 && rest.Length > 4096;
                }

                if (read.IsCompleted)
                    return new(read.Buffer.Length == 0 ? "The request is empty, not a JSON object." : "The request is not JSON: it ends too early.");
                if (read.Buffer.Length > Longest)
                    return new($"The request is longer than {Longest} bytes.");
                seen = read.Buffer.Length;
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (JsonException error)
        {
            return new(NotJson(error));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return new($"The request was not finished within {patience.TotalSeconds} s.");
        }
    }

    public static byte[] Bytes(JsonObject answer) => [.. JsonSerializer.SerializeToUtf8Bytes((JsonNode)answer, Plain), (byte)'\n'];

    public void Dispose() => _document?.Dispose();

    // Takes whole tokens only: the rest is looked at again when more of it is there.
    static bool FindEnd(in ReadOnlySequence<byte> text, ref JsonReaderState state, out long length)
    {
        var reader = new Utf8JsonReader(text, isFinalBlock: false, state);
        var found = false;
        while (!found && reader.Read())
            found = reader.CurrentDepth == 0 && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
        (state, length) = (reader.CurrentState, reader.BytesConsumed);
        return found;
    }

    // A long string, or number, is not to be read from its beginning again with each piece of it.
    static bool MayEndToken(in ReadOnlySequence<byte> piece) => piece.PositionOf((byte)'"') is not null || piece.PositionOf((byte)'}') is not null;

    static string NotJson(JsonException error) => $"The request is not JSON (byte {error.BytePositionInLine} of line {error.LineNumber + 1}).";
}

/// <summary>The calculator for a container: settings from the environment, log to standard output, an end that serves what runs.</summary>
static class HttpCalculator
{
    static long _started, _handled;

    public static WebApplication Build(IPEndPoint address, int workers)
    {
        _started = TimeProvider.System.GetTimestamp();   // an initializer would run when it is first asked for
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;   // its own answer would be another than 400
            kestrel.Limits.MaxRequestLineSize = kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
            kestrel.Limits.MaxRequestBufferSize = 1 << 20;
            kestrel.Listen(address);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.AddSingleton<IStartupFilter>(new Outermost());
        builder.UseSkein(ServerModel.Dispatcher(workers, queue: 1000));
        var application = builder.Build();
        application.Run(context => ServeAsync(context, workers));
        return application;
    }

    static async Task ServeAsync(HttpContext context, int workers)
    {
        var answer = (context.Request.Method, context.Request.Path.Value) switch
        {
            ("GET" or "HEAD", "/health") => new()
            {
                ["status"] = "healthy",
                ["uptime_seconds"] = TimeProvider.System.GetElapsedTime(_started).TotalSeconds,
                ["requests_handled"] = Interlocked.Read(ref _handled),
            },
            ("GET" or "HEAD", "/info") => new JsonObject
            {
                ["hostname"] = Environment.MachineName,
                ["pid"] = Environment.ProcessId,
                ["workers"] = workers,
                ["limits"] = Limits(),
            },
            ("POST", "/calculate") => await CalculateAsync(context.Request),
            _ => new() { ["error"] = "There are GET /health, GET /info and POST /calculate.", ["result"] = null },
        };
        await WriteAsync(context.Response, answer);
    }

    static async Task<JsonObject> CalculateAsync(HttpRequest http)
    {
        var body = http.BodyReader;
        while (true)
        {
            var read = http.ContentLength > Request.Longest ? default : await body.ReadAsync(http.HttpContext.RequestAborted);
            if (http.ContentLength > Request.Longest || read.Buffer.Length > Request.Longest)
                return Calculator.Answer(() => throw new RefusedException($"The request is longer than {Request.Longest} bytes."));
            if (read.IsCompleted)
            {
                using var request = Request.Of(read.Buffer);
                return Calculator.Answer(() => Calculator.Calculate(request.Root));
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    static async Task WriteAsync(HttpResponse response, JsonObject answer)
    {
        response.StatusCode = answer.ContainsKey("error") ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK;
        response.ContentType = "application/json";
        var bytes = Request.Bytes(answer);
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes);
    }

    /// <summary>The limits in force for this process, as the kernel says; a number, or null for none.</summary>
    static JsonObject Limits()
    {
        var limits = new JsonObject { ["processors"] = Environment.ProcessorCount, ["memory_bytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes };
        foreach (var line in File.ReadLines("/proc/self/limits").Skip(1))
            limits[line[4..26].Trim().Replace(' ', '_')] = long.TryParse(line.AsSpan(26, 21).Trim(), out var limit) ? limit : null;
        return limits;
    }

    /// <summary>Around all else, so that it also sees what never comes to a thread: counts, logs, and has one answer for all that is bad.</summary>
    sealed class Outermost : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
        {
            application.Use(async (HttpContext context, RequestDelegate rest) =>
            {
                var arrival = TimeProvider.System.GetTimestamp();
                try
                {
                    await rest(context);
                }
                catch (BadHttpRequestException error) when (!context.Response.HasStarted)
                {
                    await WriteAsync(context.Response, new() { ["error"] = error.Message, ["result"] = null });
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    Console.Error.WriteLine($"calculators: {context.Request.Method} {context.Request.Path}: {error}");   // whoever asked hears of it as 500, and no more
                    throw;
                }

                Interlocked.Increment(ref _handled);
                Console.WriteLine(new JsonObject
                {
                    ["method"] = context.Request.Method,
                    ["path"] = context.Request.Path.Value,
                    ["status"] = context.Response.StatusCode,
                    ["milliseconds"] = Math.Round(TimeProvider.System.GetElapsedTime(arrival).TotalMilliseconds, 3),
                }.ToJsonString());
            });
            next(application);
        };
    }
}

/// <summary>Ports and numbers: an option beats the environment, which beats what is usual.</summary>
sealed record Settings(IReadOnlyDictionary<string, int> Ports, IPAddress Host, int Workers)
{
    public static Settings Of(string[] args)
    {
        var words = args.SelectMany(word => word.StartsWith("--", StringComparison.Ordinal) ? word.Split('=', 2) : [word]).ToArray();
        var ports = new Dictionary<string, int>
        {
            ["stateless"] = 8001,
            ["stateful"] = 8002,
            ["dispatcher"] = 9999,
            ["http"] = -1,
        };
        for (var i = 0; i < words.Length; i += 2)
        {
            var name = words[i].StartsWith("--", StringComparison.Ordinal) ? words[i][2..] : "";
            if (!ports.ContainsKey(name))
                throw new FormatException($"'{words[i]}' is not an option. There are --stateless, --stateful, --dispatcher and --http, each with a port.");
            if (i + 1 == words.Length)
                throw new FormatException($"--{name} takes a port.");
            ports[name] = Number($"--{name}", words[i + 1], 0, 65535);
        }

        if (ports["http"] < 0)
            ports["http"] = Number("SERVER_PORT", FromEnvironment("SERVER_PORT") ?? "8000", 0, 65535);
        return new(ports, Address(FromEnvironment("SERVER_HOST") ?? "localhost"), Number("WORKER_COUNT", FromEnvironment("WORKER_COUNT") ?? "4", 1, 1000));
    }

    static IPAddress Address(string host) =>
        host is "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(host, out var address) ? address
            : Dns.GetHostAddresses(host)[0];

    static string? FromEnvironment(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    static int Number(string name, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} is a number from {least} to {most}, not '{text}'.");
}
