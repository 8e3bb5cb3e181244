using System.Runtime.Versioning;
using System.Text;

namespace Skein.Tests;

/// <summary>What programs and workers print, on its way to whoever takes it.</summary>
public class LineTests
{
    [Fact]
    public void A_long_line_is_cut_between_characters()
    {
        for (var start = 0; start < 9; start++)   // wherever in a character a cut may fall
        {
            var line = new string('x', start) + string.Concat(Enumerable.Repeat("é€😀", 20_000));
            var lines = new List<string>();
            var sink = new LineSink(lines.Add);
            foreach (var piece in Encoding.UTF8.GetBytes(line).Chunk(1000))
                sink.Write(piece);
            sink.Complete();
            Assert.InRange(lines.Count, 2, 3);
            Assert.True(line == string.Concat(lines), $"cut in a character, with {start} before");
        }
    }

    [Fact]
    public async Task Lines_of_two_threads_do_not_mix_and_are_handed_on_one_at_a_time()
    {
        var lines = new List<string>();
        var sink = new LineSink(lines.Add);
        var words = new[] { new string('a', 50), new string('b', 50) };
        await Task.WhenAll(words.Select(word => Task.Run(() =>
        {
            var line = Encoding.UTF8.GetBytes($"{word}\n");
            for (var i = 0; i < 20_000; i++)
                sink.Write(line);
        }))).Within();
        Assert.Equal(40_000, lines.Count);
        Assert.Equal(words, lines.Distinct().Order(StringComparer.Ordinal));
    }
}

[SupportedOSPlatform("linux")]
public sealed class OutputPumpTests : IDisposable
{
    readonly CancellationTokenSource _over = new();
    readonly int _read, _write;

    public OutputPumpTests() => (_read, _write) = Descriptor.Pipe();

    public void Dispose()
    {
        _ = Libc.Close(_write);
        _over.Dispose();
    }

    [Fact]
    public async Task What_was_printed_is_taken_however_slowly_when_no_more_is_waited_for()
    {
        var taken = new MemoryStream();
        var taking = new TaskCompletionSource();
        using var goOn = new ManualResetEventSlim();
        Print("one "u8);
        var reading = OutputPump.ReadAsync(_read, bytes =>
        {
            taking.TrySetResult();
            goOn.Wait(Limits.Seconds(10));
            taken.Write(bytes);
        }, _over.Token);
        await taking.Task.Within();
        Print("two"u8);
        await _over.CancelAsync();
        Assert.False(reading.IsCompleted);
        goOn.Set();
        await reading.Within();
        Assert.Equal("one two", Encoding.UTF8.GetString(taken.ToArray()));
    }

    [Fact]
    public async Task A_pipe_that_somebody_holds_open_is_left_when_no_more_is_waited_for()
    {
        var taken = new MemoryStream();
        var reading = OutputPump.ReadAsync(_read, taken.Write, _over.Token);
        Print("one"u8);
        await Limits.Until(() => taken.Length == 3, "what was printed");
        Assert.False(reading.IsCompleted);
        await _over.CancelAsync();
        await reading.Within();
    }

    [Fact]
    public async Task A_pipe_that_somebody_goes_on_to_fill_is_left_when_no_more_is_waited_for()
    {
        var reading = OutputPump.ReadAsync(_read, Print, _over.Token);   // each piece makes another one
        Print(new byte[32 * 1024]);
        await _over.CancelAsync();
        await reading.Within();
    }

    unsafe void Print(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
            Libc.Check(Libc.Write(_write, first, (nuint)bytes.Length), "write");
    }
}
