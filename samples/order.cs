// Orders of a shop: take from the stock, charge the card, wait for the courier; whoever is too late is compensated, in reverse order. Each order
// is a function that stores itself after each step. The shop's node is killed where it hurts most: when an effect is in the database, and
// the order does not know it yet. So the effect is asked for once more, with the same id, and the database refuses the second time.
//
//   dotnet run samples/order.cs
//   dotnet run samples/order.cs -- all         the node is killed after every effect
//
// What to see: every effect was applied once, whatever the last column says; the timer of the late order went on while its node was dead.

#:project ../src/Skein.Cluster
#:project ../src/Skein.Servers
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Skein;
using SQLitePCL;

[assembly: SupportedOSPlatform("linux")]

var folder = Directory.CreateTempSubdirectory("skein-orders-").FullName;
var plan = new Plan(Path.Combine(folder, "orders.db"), Path.Combine(folder, "shop.db"));
string[] kills = args is ["all"] ? ["take tea", "charge tea", "take coffee", "charge coffee", "refund coffee", "return coffee"] : ["charge tea", "refund coffee"];
var left = kills.ToHashSet();
while (true)
{
    var isThere = new TaskCompletionSource<string>();
    var applied = Callback.To(async (string effect) =>
    {
        if (!left.Contains(effect))
            return true;
        isThere.TrySetResult(effect);   // the first counts, where two orders come so far at once; the other is killed another time
        return await new TaskCompletionSource<bool>().Task;   // never: its caller is about to be killed
    });
    await using var shop = await Place.OsProcess.StartAsync(RunShop, plan, applied);
    if (await Task.WhenAny(isThere.Task, shop.Completion) == isThere.Task)
    {
        shop.Signal(9);
        await ((Task)shop.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        left.Remove(await isThere.Task);
        Console.WriteLine($"killed after '{await isThere.Task}'");
        continue;
    }

    foreach (var line in await shop.Completion)
        Console.WriteLine(line);
    break;
}

Directory.Delete(folder, recursive: true);

// The node of the shop: what was under way goes on.
static async Task<string[]> RunShop(Plan plan, Callback<string, bool> applied)
{
    await using var store = SqliteStore.Open(plan.Store);
    using var shop = new Shop(plan.Database, applied);
    var node = new MobileNode("shop", store: store);
    node.Provide("shop", shop);
    var restored = await node.RestoreAsync();
    var orders = restored.Count > 0 ? (MobileProcess<string[]>)restored[0] : node.Start(Orders);
    orders.Raise("tea is there", true);   // the courier says so each time the shop opens; of the coffee nobody hears
    return [.. await orders.Completion, .. shop.Report()];
}

static async Mobile<string[]> Orders()
{
    await Here.Checkpoint();   // now they are accepted: whatever happens, they go on
    return await Mobile.WhenAll(Order("tea", patience: TimeSpan.FromHours(1)), Order("coffee", patience: TimeSpan.FromMilliseconds(500)));
}

static async Mobile<string> Order(string item, TimeSpan patience)
{
    var late = Here.Delay(patience);                 // until that moment, whoever is killed meanwhile
    await Step($"take {item}");
    await Step($"charge {item}");
    if (await Mobile.WhenAny(Delivery(item), late) == 0)
        return $"{item}: delivered";
    await Step($"refund {item}");                    // compensation: what was done is undone, in reverse order
    await Step($"return {item}");
    return $"{item}: too late, and undone";
}

static async Mobile Delivery(string item) => await Here.Event<bool>($"{item} is there");

static async Mobile Step(string effect)
{
    await Here.Once(effect, id => Here.Resource<Shop>("shop").ApplyAsync(id, effect));
    await Here.Checkpoint();
}

sealed record Plan(string Store, string Database);

// What is outside of the orders, and does not know what a crash is: a database, which refuses an effect whose id it has.
[StaysHere("a database belongs to its place")]
sealed class Shop : IDisposable
{
    readonly SqliteConnection _database;
    readonly Callback<string, bool> _applied;

    public Shop(string file, Callback<string, bool> applied)
    {
        // The system's SQLite.
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (name, assembly, path) =>
            NativeLibrary.Load(name == "e_sqlite3" ? "libsqlite3.so.0" : name, assembly, path));
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        _applied = applied;
        _database = new($"Data Source={file};Pooling=False");
        _database.Open();
        Execute("""
            CREATE TABLE IF NOT EXISTS effect (id TEXT PRIMARY KEY, name TEXT, asked INTEGER);
            CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces INTEGER);
            CREATE TABLE IF NOT EXISTS card (item TEXT PRIMARY KEY, cents INTEGER);
            INSERT OR IGNORE INTO stock VALUES ('tea', 10), ('coffee', 10);
            INSERT OR IGNORE INTO card VALUES ('tea', 0), ('coffee', 0);
            """);
    }

    // The id and the change, or neither.
    public async Task ApplyAsync(EffectId id, string effect)
    {
        using (var transaction = _database.BeginTransaction())
        {
            var isNew = Execute("INSERT OR IGNORE INTO effect VALUES ($1, $2, 0)", $"{id}", effect) == 1;
            Execute("UPDATE effect SET asked = asked + 1 WHERE id = $1", $"{id}");
            if (isNew)
                Change(effect.Split(' ')[0], effect.Split(' ')[1]);
            transaction.Commit();
        }

        await _applied.InvokeAsync(effect);
    }

    public IEnumerable<string> Report()
    {
        foreach (var item in new[] { "tea", "coffee" })
            yield return $"{item}: {Read("SELECT pieces FROM stock WHERE item = $1", item)} of 10 left, {Read("SELECT cents FROM card WHERE item = $1", item)} cents paid";
        using var command = Command("SELECT name, asked FROM effect ORDER BY rowid");
        using var row = command.ExecuteReader();
        while (row.Read())
            yield return $"effect {row.GetString(0),-15} applied once, asked for {row.GetInt32(1)}x";
    }

    public void Dispose() => _database.Dispose();

    void Change(string what, string item)
    {
        var (table, by) = what switch
        {
            "take" => ("stock SET pieces = pieces", -1),
            "return" => ("stock SET pieces = pieces", 1),
            "charge" => ("card SET cents = cents", 450),
            _ => ("card SET cents = cents", -450),
        };
        Execute($"UPDATE {table} + $1 WHERE item = $2", by, item);
    }

    int Execute(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    }

    long Read(string sql, params object[] values)
    {
        using var command = Command(sql, values);
        return (long)command.ExecuteScalar()!;
    }

    SqliteCommand Command(string sql, params object[] values)
    {
        var command = _database.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue($"${i + 1}", values[i]);
        return command;
    }
}
