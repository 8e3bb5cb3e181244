namespace Skein.Tests;

/// <summary>A writer and a reader with the sessions of one connection, as two processes would have them.</summary>
sealed class Connection
{
    public Connection() => (Writer, Reader) = (new(new()), new(new()));

    public GraphWriter Writer { get; }

    public GraphReader Reader { get; }

    public int LastLength { get; private set; }

    public T Send<T>(T value)
    {
        Writer.Begin();
        Writer.Write(value);
        var bytes = Writer.Written.ToArray();
        LastLength = bytes.Length;
        Reader.Begin(bytes, 0, bytes.Length);
        var copy = Reader.Read<T>();
        Reader.End();
        Reader.Finish();
        return copy;
    }

    /// <summary>Through a new connection.</summary>
    public static T Copy<T>(T value) => new Connection().Send(value);
}
