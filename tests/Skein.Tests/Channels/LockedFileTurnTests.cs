using System.Net;
using System.Runtime.Versioning;

namespace Skein.Tests;

/// <summary>Nobody calls when the reader gives back its lock on the file: a writer that found it taken looks again by itself.</summary>
[SupportedOSPlatform("linux")]
public sealed class LockedFileTurnTests : IDisposable
{
    readonly EndReader<byte[]> _reader;
    readonly EndWriter<byte[]> _writer;
    readonly int _file;   // the reader's: while it has the lock, the writer has not

    public LockedFileTurnTests()
    {
        var (readEnd, writeEnd) = EndFactory.Create(ChannelKind.LockedFile, capacity: 4, new(IPAddress.Loopback, 0));
        _reader = new(readEnd);
        _writer = new(writeEnd);
        _file = readEnd.Port.Descriptors[0];
        Assert.True(FileLock.TryTake(_file, 0));
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_item_that_was_not_awaited_goes_out_when_the_lock_is_free()
    {
        Assert.True(_writer.TryWrite([1]));
        Assert.NotNull(_writer.WhyItMustStay());   // it is on its way
        FileLock.Release(_file, 0);
        Assert.Equal([1], await _reader.ReadAsync(Stop).Within());
    }

    [Fact]
    public async Task A_write_that_is_awaited_ends_when_the_lock_is_free()
    {
        var writing = _writer.WriteAsync([1], Stop).AsTask();
        Assert.False(writing.IsCompleted);
        FileLock.Release(_file, 0);
        await writing.Within();
        Assert.Equal([1], await _reader.ReadAsync(Stop).Within());
    }

    [Fact]
    public async Task A_completed_writer_that_is_closed_when_the_lock_is_free_ends_the_channel_cleanly()
    {
        Assert.True(_writer.TryWrite([1]));
        Assert.True(_writer.TryComplete());
        FileLock.Release(_file, 0);
        await _writer.CloseAsync(Limits.Seconds(10)).AsTask().Within(20);
        Assert.Equal([1], await _reader.ReadAsync(Stop).Within());
        await _reader.Completion.Within();
    }

    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
    }
}
