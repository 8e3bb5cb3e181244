namespace Skein;

/// <summary>Batches in a database of SQLite: a row each, numbered. SQLite's own log in front of it makes each whole or nothing.</summary>
sealed class SqliteLog(string path) : BatchLog
{
    /// <summary>What the database says that it is ("SKNS"), and in which format.</summary>
    const long Application = 0x534B4E53, Format = 1;

    /// <summary>SQLite takes for empty, and writes over, what is shorter.</summary>
    const int SmallestDatabase = 512;

    readonly SqliteDatabase _database = new(path);
    long _last;
    string? _broken;

    public override string Path => path;

    public override void Recover(Action<long, byte[]> found)
    {
        try
        {
            Prepare();
            _database.Rows("SELECT number, entries FROM batch ORDER BY number", [], (number, batch) =>
            {
                found(number, StoreBatch.IsWhole(batch) ? batch : throw new InvalidDataException($"The store {path} is damaged in row {number}. Restore the file from a copy."));
                _last = number;
            });
        }
        catch (SqliteErrorException e) when (e.IsBusy)
        {
            throw new IOException($"The store {path} is open in another program, or twice in this one: a store serves one at a time. {e.Message}", e);
        }
        catch (SqliteErrorException e) when (e.IsForeign)
        {
            throw new InvalidDataException($"The file {path} is no store of mobile processes, but something else. Nothing was changed. {e.Message}", e);
        }
        catch (SqliteErrorException e) when (e.IsDamage)
        {
            throw new InvalidDataException($"The store {path} is damaged. Restore the file from a copy. {e.Message}", e);
        }
        catch (SqliteErrorException e)
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
    }

    public override long Append(ReadOnlyMemory<byte> batch)
    {
        Write(() => Insert(_last + 1, batch));
        return ++_last;
    }

    public override byte[] Read(long number)
    {
        byte[]? read = null;
        _database.Rows("SELECT number, entries FROM batch WHERE number = ?", [number], (_, batch) => read = batch);
        return read is not null && StoreBatch.IsWhole(read) ? read : throw new InvalidDataException($"The store {path} is damaged in row {number}.");
    }

    public override IReadOnlyList<long> Replace(IEnumerable<ReadOnlyMemory<byte>> batches)
    {
        var numbers = new List<long>();
        Write(() =>
        {
            _database.Execute("BEGIN");
            try
            {
                foreach (var batch in batches)
                {
                    numbers.Add(_last + numbers.Count + 1);
                    Insert(numbers[^1], batch);
                }
                _database.Execute("DELETE FROM batch WHERE number <= ?", _last);
                _database.Execute("COMMIT");
            }
            catch
            {
                TakeBack();
                throw;
            }
        });
        _last += numbers.Count;
        return numbers;
    }

    public override void Dispose() => _database.Dispose();

    void Insert(long number, ReadOnlyMemory<byte> batch) => _database.Execute("INSERT INTO batch VALUES (?, ?)", batch, number);

    void Write(Action write)
    {
        if (_broken is not null)
            throw new IOException(_broken);
        try
        {
            write();
        }
        catch (SqliteErrorException e) when (e.IsUncertain)
        {
            _broken = $"The disk has failed to keep what was written ({e.Message}); what it holds is unknown until the store is opened again.";
            throw;
        }
    }

    void TakeBack()
    {
        try
        {
            _database.Execute("ROLLBACK");
        }
        catch (SqliteErrorException)
        {
            // SQLite has done so by itself
        }
    }

    /// <summary>Before anything is changed it is looked at whose this is.</summary>
    void Prepare()
    {
        if (new FileInfo(path) is { Exists: true, Length: > 0 and < SmallestDatabase })
            throw new InvalidDataException($"The file {path} is no store of mobile processes, but something else. Nothing was changed.");
        _database.Execute("PRAGMA locking_mode = EXCLUSIVE");   // and no memory that is shared with other programs
        var application = _database.Number("PRAGMA application_id");
        var isNew = application == 0 && _database.Number("SELECT count(*) FROM sqlite_master") == 0;
        if (!isNew && application != Application)
            throw new InvalidDataException($"The database {path} is no store of mobile processes, but something else. Nothing was changed.");
        if (!isNew && _database.Number("PRAGMA user_version") != Format)
            throw new InvalidDataException($"The store {path} was written by a later version of Skein. Nothing was changed.");
        _database.Execute("PRAGMA journal_mode = WAL");
        _database.Execute("PRAGMA synchronous = FULL");
        _database.Execute("PRAGMA journal_size_limit = 4194304");   // what a rewriting has made of the log is not kept
        _database.Execute("BEGIN IMMEDIATE");   // refused where the file may only be read
        if (isNew)
        {
            _database.Execute($"PRAGMA application_id = {Application}");
            _database.Execute($"PRAGMA user_version = {Format}");
            _database.Execute("CREATE TABLE batch (number INTEGER PRIMARY KEY, entries BLOB NOT NULL)");
        }
        _database.Execute("COMMIT");
    }
}
