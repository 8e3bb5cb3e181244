using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Skein;

/// <summary>
/// Sessions in a database of SQLite. One thread writes; what is asked for while it waits for the disk goes in its next transaction, all of
/// it together, and is acknowledged when that is on the disk.
/// </summary>
sealed class SessionFile : IDisposable
{
    readonly SqliteConnection _database;
    readonly Lock _gate = new();
    readonly AutoResetEvent _asked = new(false);
    readonly Thread _writer;
    List<Change> _changes = [];
    bool _isEnding;

    /// <exception cref="IOException">The file cannot be used as such a database; the message names it.</exception>
    public SessionFile(string path)
    {
        SystemSqlite.Use();
        _database = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        try
        {
            _database.Open();
            Execute("PRAGMA locking_mode = EXCLUSIVE");   // two stores on one file would undo each other
            Execute("PRAGMA journal_mode = WAL");
            Execute("PRAGMA synchronous = FULL");
            Execute("CREATE TABLE IF NOT EXISTS session (name TEXT PRIMARY KEY, expires INTEGER, idle INTEGER, latest INTEGER, value BLOB) WITHOUT ROWID");
            Execute("CREATE TABLE IF NOT EXISTS secret (key BLOB)");
            Key = ReadKey();
        }
        catch (SqliteException error)
        {
            _database.Dispose();
            throw new IOException($"Sessions cannot be kept in {path}: {error.Message} Is another store using it?", error);
        }

        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _writer = new(Write) { IsBackground = true, Name = "skein-sessions" };
        _writer.Start();
    }

    public byte[] Key { get; }

    public IEnumerable<Row> Load(long now)
    {
        Execute("DELETE FROM session WHERE expires <= $now OR latest <= $now", ("$now", now));
        using var select = _database.CreateCommand();
        select.CommandText = "SELECT name, value, expires, idle, latest FROM session ORDER BY expires";
        using var rows = select.ExecuteReader();
        while (rows.Read())
            yield return new(rows.GetString(0), rows.GetFieldValue<byte[]>(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4));
    }

    /// <summary>True when the change was taken and will be acknowledged.</summary>
    public bool Set(Row row, Action? done) => Ask(new(row.Name, row, null, done));

    public bool Touch(string name, long expires) => Ask(new(name, null, expires, null));

    public bool Remove(string name, Action? done) => Ask(new(name, null, null, done));

    public void Dispose()
    {
        lock (_gate)
            _isEnding = true;
        _asked.Set();
        _writer.Join();
        _asked.Dispose();
        _database.Dispose();
    }

    bool Ask(Change change)
    {
        lock (_gate)
            _changes.Add(change);
        _asked.Set();
        return true;
    }

    void Write()
    {
        while (true)
        {
            _asked.WaitOne();
            List<Change> changes;
            bool isEnding;
            lock (_gate)
                (changes, _changes, isEnding) = (_changes, [], _isEnding);
            if (changes.Count > 0)
                Write(changes);
            if (isEnding)
                return;
        }
    }

    void Write(List<Change> changes)
    {
        using (var transaction = _database.BeginTransaction())
        {
            foreach (var change in changes)
            {
                if (change.Row is { } row)
                {
                    Execute("INSERT OR REPLACE INTO session VALUES ($name, $expires, $idle, $latest, $value)",
                        ("$name", row.Name), ("$expires", row.Expires), ("$idle", row.Idle), ("$latest", row.Latest), ("$value", row.Value));
                }
                else if (change.Expires is { } expires)
                {
                    Execute("UPDATE session SET expires = $expires WHERE name = $name", ("$name", change.Name), ("$expires", expires));
                }
                else
                {
                    Execute("DELETE FROM session WHERE name = $name", ("$name", change.Name));
                }
            }

            transaction.Commit();
        }

        foreach (var change in changes)
            change.Done?.Invoke();
    }

    byte[] ReadKey()
    {
        using var select = _database.CreateCommand();
        select.CommandText = "SELECT key FROM secret";
        if (select.ExecuteScalar() is byte[] { Length: SessionId.KeyLength } key)
            return key;
        key = RandomNumberGenerator.GetBytes(SessionId.KeyLength);
        Execute("INSERT INTO secret VALUES ($key)", ("$key", key));
        return key;
    }

    void Execute(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using var command = _database.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    /// <summary>One session; times are milliseconds of the Unix epoch, the idle time is milliseconds.</summary>
    public sealed record Row(string Name, byte[] Value, long Expires, long Idle, long Latest);

    sealed record Change(string Name, Row? Row, long? Expires, Action? Done);
}
