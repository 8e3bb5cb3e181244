using Microsoft.Data.Sqlite;

namespace Skein.Tests.Mobility;

/// <summary>The store in a database of SQLite, and what can happen to this one.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public class SqliteStoreTests : MobileStoreCases
{
    protected override string Kind => "sqlite";

    protected override string Log => File + "-wal";

    protected override MobileStore Open(string file) => SqliteStore.Open(file);

    [Theory]
    [InlineData("PRAGMA user_version = 2", "a later version of Skein")]
    [InlineData("PRAGMA application_id = 0", "something else")]   // with a table, so it is not new
    public async Task A_database_of_another_version_or_application_is_refused(string change, string why)
    {
        await using (var store = Open())
            await store.SaveAsync("one", Image(1, 50));
        Execute(change);
        var before = await System.IO.File.ReadAllBytesAsync(File);
        Assert.Contains(why, Assert.Throws<InvalidDataException>(() => Open()).Message);
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File));
    }

    [Fact]
    public async Task A_database_that_another_program_uses_is_refused()
    {
        await using (var store = Open())
            await store.SaveAsync("one", Image(1, 50));
        using var other = Connect();
        Execute(other, "BEGIN; SELECT * FROM batch");
        Assert.Contains("open in another program", Assert.ThrowsAny<IOException>(() => Open()).Message);
    }

    /// <summary>What a program that knows nothing of the store reads: each image is written once, and what is outdated is deleted.</summary>
    [Fact]
    public async Task It_is_an_ordinary_database()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 50));
            await store.SaveAsync("one", Image(2, 50));
        }
        Assert.Equal("ok", Execute("PRAGMA integrity_check"));
        Assert.Equal(2L, Execute("SELECT count(*) FROM batch"));
    }

    SqliteConnection Connect()
    {
        SystemSqlite.Use();
        var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        return connection;
    }

    object? Execute(string statement)
    {
        using var connection = Connect();
        return Execute(connection, statement);
    }

    static object? Execute(SqliteConnection connection, string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        return command.ExecuteScalar();
    }
}
