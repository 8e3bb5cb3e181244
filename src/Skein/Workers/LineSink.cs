using System.Buffers;
using System.Text;

namespace Skein;

/// <summary>Cuts bytes into lines; keeps the last ones.</summary>
sealed class LineSink(Action<string> onLine)
{
    const int Kept = 20;
    const int LongestLine = 64 * 1024;   // a program that prints no line ends must not fill our memory

    readonly Queue<string> _last = new();
    readonly ArrayBufferWriter<byte> _partial = new();

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            Line(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }

        _partial.Write(bytes);
        if (_partial.WrittenCount > LongestLine)
            Line([]);
    }

    /// <summary>What was printed without an end of line is a line too.</summary>
    public void Complete()
    {
        if (_partial.WrittenCount > 0)
            Line([]);
    }

    public string LastLines
    {
        get
        {
            lock (_last)
                return string.Join(Environment.NewLine, _last);
        }
    }

    void Line(ReadOnlySpan<byte> end)
    {
        _partial.Write(end);
        var line = Encoding.UTF8.GetString(_partial.WrittenSpan).TrimEnd('\r');
        _partial.ResetWrittenCount();
        lock (_last)
        {
            _last.Enqueue(line);
            if (_last.Count > Kept)
                _last.Dequeue();
        }

        onLine(line);
    }
}
