using System.Runtime.InteropServices;

namespace Skein;

/// <summary>A database that one thread at a time uses.</summary>
sealed class SqliteDatabase : IDisposable
{
    const int Ok = 0, Row = 100, Done = 101;

    readonly Dictionary<string, nint> _prepared = [];
    nint _database;

    /// <exception cref="IOException">It cannot be opened; or the system has no SQLite.</exception>
    public SqliteDatabase(string path)
    {
        try
        {
            if (SqliteCalls.Open(path, out _database, SqliteCalls.ReadWrite | SqliteCalls.Create | SqliteCalls.NoMutex, 0) == Ok)
                return;
        }
        catch (DllNotFoundException e)
        {
            throw new IOException("This system has no SQLite (libsqlite3.so.0): install it, or take another store, such as FileStore.", e);
        }
        var failure = Failure();
        Dispose();
        throw new IOException($"{path}: {failure.Message}", failure);
    }

    /// <summary>A statement with numbers in the places of its question marks.</summary>
    /// <exception cref="SqliteErrorException">It was not carried out.</exception>
    public void Execute(string statement, params ReadOnlySpan<long> numbers) => Execute(statement, numbers, default, static _ => { });

    /// <summary>The same, with bytes in the last place.</summary>
    public void Execute(string statement, ReadOnlyMemory<byte> bytes, params ReadOnlySpan<long> numbers) => Execute(statement, numbers, bytes.Span, static _ => { });

    /// <summary>The first column of the last row.</summary>
    public long Number(string statement)
    {
        var number = 0L;
        Execute(statement, [], default, row => number = SqliteCalls.Integer(row, 0));
        return number;
    }

    /// <summary>Rows of a number and bytes.</summary>
    public void Rows(string statement, ReadOnlySpan<long> numbers, Action<long, byte[]> found) => Execute(statement, numbers, default, row =>
    {
        var bytes = new byte[SqliteCalls.Length(row, 1)];
        if (bytes.Length > 0)
            Marshal.Copy(SqliteCalls.Blob(row, 1), bytes, 0, bytes.Length);
        found(SqliteCalls.Integer(row, 0), bytes);
    });

    public void Dispose()
    {
        foreach (var prepared in _prepared.Values)
            _ = SqliteCalls.Finish(prepared);
        _prepared.Clear();
        _ = SqliteCalls.Close(_database);
        _database = 0;
    }

    unsafe void Execute(string statement, ReadOnlySpan<long> numbers, ReadOnlySpan<byte> bytes, Action<nint> row)
    {
        ObjectDisposedException.ThrowIf(_database == 0, this);
        var prepared = Prepare(statement);
        fixed (byte* first = bytes)   // SQLite reads them where they are
        {
            try
            {
                for (var i = 0; i < numbers.Length; i++)
                    Check(SqliteCalls.Bind(prepared, i + 1, numbers[i]), Ok);
                if (!bytes.IsEmpty)
                    Check(SqliteCalls.Bind(prepared, numbers.Length + 1, first, bytes.Length, 0), Ok);
                int step;
                while ((step = SqliteCalls.Step(prepared)) == Row)
                    row(prepared);
                Check(step, Done);
            }
            finally
            {
                _ = SqliteCalls.Reset(prepared);
                _ = SqliteCalls.Clear(prepared);
            }
        }
    }

    nint Prepare(string statement)
    {
        if (_prepared.TryGetValue(statement, out var prepared))
            return prepared;
        Check(SqliteCalls.Prepare(_database, statement, -1, out prepared, 0), Ok);
        return _prepared[statement] = prepared;
    }

    void Check(int result, int good)
    {
        if (result != good)
            throw Failure();
    }

    SqliteErrorException Failure() => new(SqliteCalls.ErrorOf(_database), Marshal.PtrToStringUTF8(SqliteCalls.MessageOf(_database)) is { Length: > 0 } message ? $"SQLite says: {message}." : "SQLite has failed.");
}
