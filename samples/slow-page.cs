// The slow page: its handler waits 200 ms for a database, and blocks its thread meanwhile. Two clients ask for it at the same time, under
// every model of serving: what does the second one wait?
//
//   dotnet run samples/slow-page.cs
//   dotnet run samples/slow-page.cs -- 500       waits 500 ms
//
// What to see: where there is one thread the second waits for the first one's page and for its own. Kestrel has a pool of threads, so that two
// blocked handlers do not show; sixty-four would (see docs/servers.md). Under Prefork this program is started once more as the master of two
// workers, each of which is this program too.

#:project ../src/Skein.Servers
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Skein;
using SQLitePCL;

[assembly: SupportedOSPlatform("linux")]

var (file, wait) = ("", args.Length > 0 ? int.Parse(args[^1]) : 200);

// The system's SQLite.
NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (name, assembly, path) =>
    NativeLibrary.Load(name == "e_sqlite3" ? "libsqlite3.so.0" : name, assembly, path));
raw.SetProvider(new SQLite3Provider_e_sqlite3());
if (args is ["prefork", var database, _])
{
    file = database;
    await using var master = await StartHttp(ServerModel.Prefork(workers: 2));
    Console.WriteLine(master.Urls.Single());
    await master.WaitForShutdownAsync();
    return;
}

var folder = Directory.CreateTempSubdirectory("skein-page-");
file = $"{folder}/pages.db";
Query("CREATE TABLE page (title TEXT); INSERT INTO page VALUES ('the slow page')");

Console.WriteLine($"{"",-28}{"client 1",10}{"client 2",10}");
foreach (var model in new[] { ServerModel.Iterative, ServerModel.Threaded, ServerModel.Dispatcher(threads: 4, queue: 16), ServerModel.EventLoop })
{
    await using (var http = await StartHttp(model))
    {
        using var client = new HttpClient();
        await Measure($"{model}, HTTP", () => client.GetStringAsync(http.Urls.Single()));
    }

    await using var streams = await SkeinServer.StartAsync(
        new IPEndPoint(IPAddress.Loopback, 0), connection => connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes(SlowPage())).AsTask(), model);
    await Measure($"{model}, streams", async () =>
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync((IPEndPoint)streams.EndPoint);
        return await new StreamReader(client.GetStream()).ReadToEndAsync();
    });
}

var url = new TaskCompletionSource<string>();
await using (var prefork = await Place.OsProcess.StartProgramAsync(new("dotnet", Environment.GetCommandLineArgs()[0], "prefork", file, $"{wait}")
{
    Options = new() { OnOutput = line => { if (line.StartsWith("http", StringComparison.Ordinal)) url.TrySetResult(line); } },
    StandardError = ProgramOutput.Discard,
}))
{
    if (await Task.WhenAny(url.Task, prefork.Exited) != url.Task)
        throw new InvalidOperationException($"It did not start: {await prefork.Exited}");
    var page = await url.Task;
    using var client = new HttpClient();
    await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetStringAsync(page)));   // so that both workers have compiled their code
    await Measure($"{ServerModel.Prefork(workers: 2)}, HTTP", () => client.GetStringAsync(page));
    await prefork.StopAsync();
}

folder.Delete(recursive: true);

async Task Measure(string name, Func<Task<string>> ask)
{
    await ask();   // code is compiled, connections are made
    var started = Stopwatch.GetTimestamp();
    var waited = (await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
    {
        var page = await ask();
        return page == "the slow page" ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : throw new InvalidDataException(page);
    }))).Order().ToArray();
    Console.WriteLine($"{name,-28}{waited[0],7:F0} ms{waited[1],7:F0} ms");
}

async Task<WebApplication> StartHttp(ServerModel model)
{
    var builder = WebApplication.CreateEmptyBuilder(new());
    builder.WebHost.UseKestrelCore();
    builder.UseSkein(model);
    var application = builder.Build();
    application.Urls.Add("http://127.0.0.1:0");
    application.Run(context => context.Response.WriteAsync(SlowPage()));
    await application.StartAsync();
    return application;
}

string SlowPage() => Query($"SELECT title FROM page WHERE wait({wait}) = 0");

// The library's calls block; `wait` stands for all that makes a database slow.
string Query(string sql)
{
    using var database = new SqliteConnection($"Data Source={file};Pooling=False");
    database.Open();
    database.CreateFunction("wait", (int milliseconds) =>
    {
        Thread.Sleep(milliseconds);
        return 0;
    });
    using var command = database.CreateCommand();
    command.CommandText = sql;
    return command.ExecuteScalar() as string ?? "";
}
