using System.Threading.Channels;

namespace Skein;

/// <summary>
/// Two nodes over a stream of bytes: each frame of theirs is one of <see cref="FrameStream"/>. Frames that wait leave together, and what has come is read
/// together: most are short, and a call of the system costs as much as many of them. A long one is not copied.
/// </summary>
sealed class StreamConnection : PeerConnection
{
    /// <summary>So many bytes of short frames leave at once, and are read ahead.</summary>
    const int Together = 1 << 16;

    readonly Stream _stream;
    readonly Peers _peers;
    readonly Action<int> _sent;
    readonly Channel<byte[]> _outgoing = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true });

    StreamConnection(Stream stream, Peers peers, bool isOurs, string? knownName, Action<int> sent)
    {
        (_stream, _peers, IsOurs, KnownName, _sent) = (stream, peers, isOurs, knownName, sent);
    }

    public override bool IsOurs { get; }

    public override string? KnownName { get; }

    /// <summary>Ends with the connection.</summary>
    /// <param name="stream">It is closed at the end.</param>
    /// <param name="sent">Told how many bytes have left.</param>
    public static Task RunAsync(Stream stream, Peers peers, bool isOurs, string? knownName, Action<int> sent)
    {
        var connection = new StreamConnection(stream, peers, isOurs, knownName, sent);
        peers.Greet(connection);
        return Task.WhenAll(connection.WriteAsync(), connection.ReadAsync());
    }

    public override void Send(byte[] frame) => _outgoing.Writer.TryWrite(frame);

    public override void Close()
    {
        _outgoing.Writer.TryComplete();
        _stream.Dispose();
    }

    async Task WriteAsync()
    {
        using var leaving = new MemoryStream();
        var (frames, direct) = (new FrameStream(leaving), new FrameStream(_stream));
        try
        {
            while (await _outgoing.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                byte[]? large = null;   // a process, as a rule
                while (large is null && leaving.Length < Together && _outgoing.Reader.TryRead(out var frame))
                {
                    if (frame.Length > Together)
                        large = frame;
                    else
                        await frames.WriteAsync(FrameKind.Message, 0, frame).ConfigureAwait(false);
                }
                var length = (int)leaving.Length;
                await _stream.WriteAsync(leaving.GetBuffer().AsMemory(0, length)).ConfigureAwait(false);
                await _stream.FlushAsync().ConfigureAwait(false);
                leaving.SetLength(0);
                if (large is not null)
                {
                    await direct.WriteAsync(FrameKind.Message, 0, large).ConfigureAwait(false);
                    length += Frame.HeaderLength + large.Length;
                }
                _sent(length);
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            Close();
        }
    }

    async Task ReadAsync()
    {
        await Task.Yield();
        try
        {
            var frames = new FrameStream(new BufferedStream(_stream, Together));   // refused where the stream is closed already
            while (await frames.ReadAsync().ConfigureAwait(false) is { } frame)
                _peers.Take(this, frames.Keep(frame), frame.Missing > 0);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // whatever the other side, or the network, has done
        }
        finally
        {
            Close();
            _peers.Break(this);
        }
    }

    static bool IsEnd(Exception error) => error is IOException or InvalidDataException or ObjectDisposedException or MessageTooLargeException or OutOfMemoryException;
}
