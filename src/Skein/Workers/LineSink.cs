using System.Buffers;
using System.Text;

namespace Skein;

/// <summary>Cuts bytes into lines; keeps the last ones. Several threads may write: lines are handed on one at a time.</summary>
sealed class LineSink(Action<string> onLine)
{
    const int Kept = 20;
    const int LongestLine = 64 * 1024;   // a program that prints no line ends must not fill our memory

    readonly Lock _gate = new();
    readonly Queue<string> _last = new();
    readonly ArrayBufferWriter<byte> _partial = new();

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
            {
                _partial.Write(bytes[..end]);
                Line([]);
                bytes = bytes[(end + 1)..];
            }

            _partial.Write(bytes);
            if (_partial.WrittenCount > LongestLine)
                Cut();
        }
    }

    /// <summary>What was printed without an end of line is a line too.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            if (_partial.WrittenCount > 0)
                Line([]);
        }
    }

    public string LastLines
    {
        get
        {
            lock (_last)
                return string.Join(Environment.NewLine, _last);
        }
    }

    /// <summary>Hands on what is there of a long line. A character that has not arrived whole waits for the rest of it.</summary>
    void Cut()
    {
        var there = _partial.WrittenSpan;
        var begun = Rune.DecodeLastFromUtf8(there, out _, out var length) == OperationStatus.NeedMoreData ? length : 0;
        Line(there[^begun..].ToArray());
    }

    /// <param name="rest">The end of what is there, which belongs to the next line.</param>
    void Line(ReadOnlySpan<byte> rest)
    {
        var line = Encoding.UTF8.GetString(_partial.WrittenSpan[..^rest.Length]).TrimEnd('\r');
        _partial.ResetWrittenCount();
        _partial.Write(rest);
        lock (_last)
        {
            _last.Enqueue(line);
            if (_last.Count > Kept)
                _last.Dequeue();
        }

        onLine(line);
    }
}
