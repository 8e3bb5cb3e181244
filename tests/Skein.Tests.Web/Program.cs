// An ordinary application, some of whose endpoints are isolated. The tests start it and talk to it over HTTP.
using Skein;
using Skein.Tests.Web;

if (args is ["streams", var streamModel, var path] && OperatingSystem.IsLinux())
{
    await StreamsProgram.RunAsync(streamModel, path);
    return;
}

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton(new Greeting(builder.Configuration["greeting"] ?? "hello"));
builder.Services.AddHostedService<Announcement>();
var models = new Dictionary<string, ServerModel>
{
    ["threads"] = ServerModel.Dispatcher(threads: 4, queue: 16),
    ["prefork"] = ServerModel.Prefork(builder.Configuration.GetValue("workers", 2)),
    ["eventloop"] = ServerModel.EventLoop,
};
if (builder.Configuration["model"] is { } model)
    builder.UseSkein(models[model], new() { MaxRequests = builder.Configuration.GetValue<long?>("max-requests") });

var hasSessions = builder.Configuration["sessions"] is not null;
if (hasSessions && OperatingSystem.IsLinux())
    builder.Services.AddSkeinSessions();

if (builder.Configuration["broken"] is { } reason && Here.Id is not null)
    throw new InvalidOperationException(reason);   // in a worker, and not in the application itself

var app = builder.Build();
app.UseMiddleware<NameTag>();
if (hasSessions && OperatingSystem.IsLinux())
{
    app.UseSkeinSessions();
    app.MapGet("/visits", (HttpContext context) =>
    {
        var visits = (context.Session.GetInt32("visits") ?? 0) + 1;
        context.Session.SetInt32("visits", visits);
        return $"{visits} {Environment.ProcessId}";
    });
}

app.MapGet("/", () => $"{Environment.ProcessId}");
app.MapGet("/pause", async (int ms) =>
{
    Faulty.Note("pausing", "now");
    await Task.Delay(TimeSpan.FromMilliseconds(ms));
    return "paused";
});
app.MapGet("/thrown", string () => throw new InvalidOperationException("ordinary"));

var seconds = double.Parse(builder.Configuration["timeout"] ?? "60", System.Globalization.CultureInfo.InvariantCulture);
var isolated = app.MapGroup("/isolated").RunIn(Place.OsProcess, new()
{
    Workers = builder.Configuration.GetValue("workers", 2),
    Spares = builder.Configuration.GetValue("spares", 0),
    Queue = builder.Configuration.GetValue("queue", 64),
    Timeout = TimeSpan.FromSeconds(seconds),
    Grace = TimeSpan.FromSeconds(builder.Configuration.GetValue("grace", 1.0)),
});
Ordinary.Map(isolated);
Faulty.Map(isolated);
app.MapPost("/limited/{bytes:long}", Faulty.Fill).RunIn(Place.OsProcess, workers: 1, memory: "256M", timeout: TimeSpan.FromSeconds(seconds));

await app.StartAsync();
Console.WriteLine($"listening {app.Urls.Single()}");
await app.WaitForShutdownAsync();
