using System.Threading.Channels;

namespace Skein;

/// <summary>Two nodes over a stream of bytes: each frame of theirs is one of <see cref="FrameStream"/>.</summary>
sealed class StreamConnection : PeerConnection
{
    readonly Stream _stream;
    readonly FrameStream _frames;
    readonly Peers _peers;
    readonly Action<int> _sent;
    readonly Channel<byte[]> _outgoing = Channel.CreateUnbounded<byte[]>(new() { SingleReader = true });

    StreamConnection(Stream stream, Peers peers, bool isOurs, string? knownName, Action<int> sent)
    {
        (_stream, _peers, IsOurs, KnownName, _sent) = (stream, peers, isOurs, knownName, sent);
        _frames = new(stream);
    }

    public override bool IsOurs { get; }

    public override string? KnownName { get; }

    /// <summary>Ends with the connection.</summary>
    /// <param name="stream">It is closed at the end.</param>
    /// <param name="sent">Told of each frame that has left, with its length.</param>
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
        try
        {
            await foreach (var frame in _outgoing.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await _frames.WriteAsync(FrameKind.Message, 0, frame).ConfigureAwait(false);
                _sent(Frame.HeaderLength + frame.Length);
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
            while (await _frames.ReadAsync().ConfigureAwait(false) is { } frame)
                _peers.Take(this, frame.Body.ToArray());
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

    static bool IsEnd(Exception error) => error is IOException or InvalidDataException or ObjectDisposedException or MessageTooLargeException;
}
