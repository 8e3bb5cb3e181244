// One calculation, (10 + 5) * 2 - 3, asked of a server that remembers nothing and of one that remembers its client, in three ways: what each
// had to be sent. Then the server is killed and started again, and the store of sessions as well: what is left.
//
//   dotnet run samples/state.cs
//
// What to see: the stateless server is sent every operand, and loses nothing because it has nothing. A session is gone with its process,
// and its client is told to start again; a durable one is in a store beside it, permanent state in a database, and both are still there.

#:project ../src/Skein.Servers
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Caching.Distributed;
using Skein;
using SQLitePCL;

[assembly: SupportedOSPlatform("linux")]

(string Operator, int Operand)[] steps = [("+", 5), ("*", 2), ("-", 3)];
var folder = Directory.CreateTempSubdirectory("skein-state-");
await using (var store = await SessionStore.StartAsync(new() { Durable = true, File = $"{folder}/sessions.db" }))
{
    var (server, port) = await StartServer(store.Address, $"{folder}/totals.db");
    var (sent, total) = (new List<string>(), "10");
    foreach (var (sign, operand) in steps)
        total = await Ask($"stateless {total} {sign} {operand}");
    Show("stateless", total);

    var ids = new Dictionary<string, string>();
    foreach (var kind in new[] { "session", "durable", "permanent" })
    {
        ids[kind] = await Ask($"{kind} begin 10");
        foreach (var (sign, operand) in steps)
            total = await Ask($"{kind} {ids[kind]} {sign} {operand}");
        Show(kind, total);
    }

    server.Kill();
    await server.DisposeAsync();
    await using (var kill = await Place.OsProcess.StartProgramAsync(new("kill", ["-KILL", $"{store.OsProcessId}"])))
        await kill.Completion;
    Console.WriteLine("The server and the store are killed and started again.");
    (server, port) = await StartServer(store.Address, $"{folder}/totals.db");
    Show("stateless", await Ask("stateless 27 + 0"));
    foreach (var (kind, id) in ids)
        Show(kind, await Ask($"{kind} {id} + 0"));
    await server.DisposeAsync();

    async Task<string> Ask(string request)
    {
        sent.Add(request);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request));
        client.Client.Shutdown(SocketShutdown.Send);
        return await new StreamReader(stream).ReadToEndAsync();
    }

    void Show(string kind, string answer)
    {
        var words = sent.Select(request => string.Join(' ', request.Split(' ')[1..].Select(word => word.Length > 30 ? "ID" : word)));
        Console.WriteLine($"{kind,-9} {answer,-40} sent: {string.Join(" | ", words)}");
        sent.Clear();
    }
}

folder.Delete(recursive: true);

static async Task<(Process<Nothing> Server, int Port)> StartServer(string store, string database)
{
    var listening = new TaskCompletionSource<int>();
    var server = await Place.OsProcess.StartAsync(Servers.RunAsync, new Places(store, database), Callback.To((int port) => listening.TrySetResult(port)));
    return (server, await listening.Task);
}

/// <summary>Where a server keeps what it does not keep itself.</summary>
sealed record Places(string Store, string Database);

/// <summary>All four servers: one calculation a connection.</summary>
static class Servers
{
    static readonly SessionTable<double[]> Sessions = new();

    public static async Task RunAsync(Places places, Callback<int, bool> listening)
    {
        using var store = new SessionStoreClient(places.Store);
        using var database = Open(places.Database);
        await using var server = await SkeinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), ServeAsync, ServerModel.EventLoop, new() { HalfClose = true });
        await listening.InvokeAsync(((IPEndPoint)server.EndPoint).Port);
        await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping);

        async Task ServeAsync(ConnectionContext connection)
        {
            using var reader = new StreamReader(connection.Transport.Input.AsStream());
            var words = (await reader.ReadToEndAsync()).Split(' ');
            string answer;
            try
            {
                answer = await AnswerAsync(words, store, database);
            }
            catch (SessionEndedException ended)
            {
                answer = ended.Message;
            }

            await connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes(answer));
        }
    }

    static async Task<string> AnswerAsync(string[] words, SessionStoreClient store, SqliteConnection database)
    {
        var times = new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(5) };
        switch (words)
        {
            case ["stateless", var a, var sign, var b]:
                return Text(Result(Number(a), sign, Number(b)));
            case ["session", "begin", var a]:
                return Sessions.Create([Number(a)]);
            case ["session", var id, var sign, var b]:
                var session = Sessions.Get(id);
                return Text(session[0] = Result(session[0], sign, Number(b)));
            case ["durable", "begin", var a]:
                var name = Guid.NewGuid().ToString("N");
                await store.SetAsync(name, BitConverter.GetBytes(Number(a)), times);
                return name;
            case ["durable", var id, var sign, var b]:
                var kept = await store.GetAsync(id) ?? throw new InvalidOperationException("The durable session is gone.");
                var result = Result(BitConverter.ToDouble(kept), sign, Number(b));
                await store.SetAsync(id, BitConverter.GetBytes(result), times);
                return Text(result);
            case ["permanent", "begin", var a]:
                var key = Guid.NewGuid().ToString("N");
                Execute(database, "INSERT INTO total VALUES ($id, $total)", key, Number(a));
                return key;
            case ["permanent", var id, var sign, var b]:
                var next = Result((double)Execute(database, "SELECT total FROM total WHERE id = $id", id, 0)!, sign, Number(b));
                Execute(database, "UPDATE total SET total = $total WHERE id = $id", id, next);
                return Text(next);
            default:
                return "not understood";
        }
    }

    static double Result(double a, string sign, double b) => sign switch { "+" => a + b, "-" => a - b, "*" => a * b, _ => a / b };

    static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    static SqliteConnection Open(string file)
    {
        // The system's SQLite.
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (name, assembly, path) =>
            NativeLibrary.Load(name == "e_sqlite3" ? "libsqlite3.so.0" : name, assembly, path));
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        var database = new SqliteConnection($"Data Source={file};Pooling=False");
        database.Open();
        Execute(database, "CREATE TABLE IF NOT EXISTS total (id TEXT PRIMARY KEY, total REAL)", "", 0);
        return database;
    }

    static object? Execute(SqliteConnection database, string sql, string id, double total)
    {
        using var command = database.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$id", id);
        command.Parameters.AddWithValue("$total", total);
        return command.ExecuteScalar();
    }
}
