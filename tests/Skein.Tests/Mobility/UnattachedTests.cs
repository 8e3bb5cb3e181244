using Microsoft.Data.Sqlite;

namespace Skein.Tests.Mobility;

/// <summary>Files and folders whose bytes travel.</summary>
public sealed class UnattachedTests : IDisposable
{
    readonly MobileNode _a = new("a"), _b = new("b");
    readonly string _folder = Directory.CreateTempSubdirectory("skein-unattached-").FullName;

    public UnattachedTests()
    {
        _a.Connect(_b);
        SystemSqlite.Use();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Named(string name, string content = "")
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    sealed class Diary(string path)
    {
        [Unattached] readonly FileInfo _file = new(path);
        [Unattached] readonly string _path = path;

        public string Path => _path;

        public string FilePath => _file.FullName;

        public void Add(string line) => File.AppendAllText(_file.FullName, line);

        public string Read() => File.ReadAllText(_file.FullName);
    }

    [Fact]
    public async Task A_file_travels_with_its_bytes_and_what_was_left_stays_as_it_was()
    {
        var path = Named("notes.txt", "one ");
        var (read, places) = await _a.Start(async () =>
        {
            var diary = new Diary(path);
            diary.Add("two ");
            var places = new List<string> { diary.FilePath };
            foreach (var node in (string[])["b", "a", "b"])
            {
                await Here.MoveTo(node);
                diary.Add($"{node} ");
                places.Add(diary.FilePath);
            }
            Assert.Equal("one two ", await File.ReadAllTextAsync(diary.Path));
            return (diary.Read(), places);
        }).Completion.Within();
        Assert.Equal("one two b a b ", read);
        Assert.Equal("one two ", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(4, places.Distinct().Count());
        Assert.All(places, place => Assert.Equal("notes.txt", Path.GetFileName(place)));
        await Limits.Until(() => !places[1..].Exists(File.Exists), "the copies to be gone with the process");
    }

    [Fact]
    public async Task A_folder_travels_with_all_that_is_in_it()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sub", "empty"));
        Named("one.txt", "1");
        var script = Named("sub/run.sh", "echo");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var folder = _folder;
        Assert.Equal("one.txt 1, sub/empty, sub/run.sh echo", await _a.Start(async () =>
        {
            var data = Unattached.Of(new DirectoryInfo(folder));
            await Here.MoveTo("b");
            Assert.NotEqual(folder, data.Value.FullName);
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(data.Value.FullName, "sub", "run.sh")).HasFlag(UnixFileMode.UserExecute));
            var found = data.Value.GetFileSystemInfos("*", SearchOption.AllDirectories).Where(static entry => entry is FileInfo || entry.Name == "empty");
            return string.Join(", ", found.Select(entry =>
                $"{Path.GetRelativePath(data.Value.FullName, entry.FullName)}{(entry is FileInfo ? " " + File.ReadAllText(entry.FullName) : "")}").Order(StringComparer.Ordinal));
        }).Completion.Within());
    }

    [Fact]
    public async Task An_open_file_travels_with_its_position_and_is_closed_where_it_was()
    {
        var stream = new FileStream(Named("log", "abcdef"), FileMode.Open, FileAccess.ReadWrite);
        var closed = new FileStream(Named("closed"), FileMode.Open);
        await closed.DisposeAsync();
        var (log, ended) = (Unattached.Of(stream), Unattached.Of(closed));
        Assert.Equal("abcd then efg", await _a.Start(async () =>
        {
            var first = new byte[4];
            log.Value.ReadExactly(first);
            await Here.MoveTo("b");
            Assert.Throws<ObjectDisposedException>(() => ended.Value.ReadByte());
            var rest = new byte[3];
            log.Value.ReadExactly(rest, 0, 2);
            log.Value.WriteByte((byte)'g');
            log.Value.Position--;
            log.Value.ReadExactly(rest, 2, 1);
            log.Value.Dispose();
            return $"{System.Text.Encoding.UTF8.GetString(first)} then {System.Text.Encoding.UTF8.GetString(rest)}";
        }).Completion.Within());
        Assert.False(stream.CanRead);
        Assert.Equal("abcdef", await File.ReadAllTextAsync(stream.Name, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_SQLite_file_travels_with_its_journal()
    {
        var path = Path.Combine(_folder, "orders.db");
        Ask(path, "PRAGMA journal_mode=WAL; CREATE TABLE orders(amount); INSERT INTO orders VALUES (1);");
        using var open = new SqliteConnection($"Data Source={path};Pooling=False");   // so that the journal is not put away
        open.Open();
        using var looking = open.CreateCommand();
        looking.CommandText = "SELECT count(*) FROM orders";
        Assert.Equal(1L, looking.ExecuteScalar());
        Ask(path, "INSERT INTO orders VALUES (2)");
        Assert.True(new FileInfo(path + "-wal").Length > 0);
        Assert.Equal(6L, await _a.Start(async () =>
        {
            var orders = Unattached.Of(new FileInfo(path));
            await Here.MoveTo("b");
            return Ask(orders.Value.FullName, "INSERT INTO orders VALUES (3); SELECT sum(amount) FROM orders");
        }).Completion.Within());
        Assert.Equal(3L, Ask(path, "SELECT sum(amount) FROM orders"));
    }

    static long Ask(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as long? ?? 0;
    }

    [Fact]
    public async Task A_file_is_in_the_image_of_its_process()
    {
        var path = Named("notes.txt", "one ");
        var process = _a.Start(async () =>
        {
            var notes = Unattached.Of(new FileInfo(path));
            await File.AppendAllTextAsync(notes.Value.FullName, "two ");
            await Here.Event<bool>("read");
            return await File.ReadAllTextAsync(notes.Value.FullName);
        });
        await Limits.Until(() => File.ReadAllText(path) == "one two ", "the process to write");
        var image = await process.CaptureAsync().Within();
        process.Kill();
        await File.WriteAllTextAsync(path, "something else", TestContext.Current.CancellationToken);
        var restored = _b.Restore<string>(image);
        restored.Raise("read", true);
        Assert.Equal("one two ", await restored.Completion.Within());
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "nothing", "missing" },
        { "a link in a folder", "is a link" },
        { "a pipe", "no file with bytes of its own" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_has_no_bytes_to_travel_is_refused_with_its_reason(string what, string reason)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the cases are those of Linux");
        var missing = Path.Combine(_folder, "missing");
        if (what == "a link in a folder")
            File.CreateSymbolicLink(missing, "/etc/passwd");
        var folder = _folder;
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => _a.Start(async () =>
        {
            object held = what switch
            {
                "nothing" => Unattached.Of(new FileInfo(missing)),
                "a pipe" => Unattached.Of(new FileStream("/dev/ptmx", FileMode.Open)),
                _ => Unattached.Of(new DirectoryInfo(folder)),
            };
            try
            {
                await Here.MoveTo("b");
            }
            finally
            {
                (held as Unattached<FileStream>)?.Value.Dispose();
            }
        }).Completion.Within());
        Assert.Contains(reason, refused.Message);
        Assert.EndsWith("→ local 'held' → _value", refused.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_node_has_made_for_a_process_that_it_refuses_is_gone()
    {
        var name = $"{Guid.NewGuid()}";
        var path = Named(name, "one");
        _a.Provide("ledger", "a ledger");
        var held = _a.Start(() => Hold(path));
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => held.Completion.Within());
        Assert.EndsWith("no resource named ledger: it is to be provided there (MobileNode.Provide).", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetDirectories(Path.GetTempPath(), "skein-mobile-*"), folder => File.Exists(Path.Combine(folder, "0", name)));
    }

    static async Mobile Hold(string path)
    {
        var notes = Unattached.Of(new FileInfo(path));
        var ledger = Fixed.Of(Here.Resource<string>("ledger"));
        await Here.MoveTo("b");
        GC.KeepAlive((notes, ledger));
    }
}
