using System.IO.Pipes;

namespace Skein.Tests;

public class FrameTests
{
    [Fact]
    public async Task Frames_arrive_in_order_and_whole()
    {
        using var server = new AnonymousPipeServerStream(PipeDirection.Out);
        using var client = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle);
        var big = new byte[1 << 20];
        Random.Shared.NextBytes(big);
        var writing = Task.Run(async () =>
        {
            var frames = new FrameStream(server);
            await frames.WriteAsync(FrameKind.Call, 7, new byte[] { 1, 2 });
            await frames.WriteAsync(FrameKind.Result, uint.MaxValue, big);
            await frames.WriteAsync(FrameKind.Stats, 0, default);
            server.Dispose();
        });
        var reader = new FrameStream(client);
        var first = await reader.ReadAsync().Within();
        Assert.Equal((FrameKind.Call, 7u), (first!.Value.Kind, first.Value.Number));
        Assert.Equal([1, 2], first.Value.Body.ToArray());
        var second = await reader.ReadAsync().Within();
        Assert.Equal((FrameKind.Result, uint.MaxValue), (second!.Value.Kind, second.Value.Number));
        Assert.True(second.Value.Body.Span.SequenceEqual(big));
        Assert.Equal(0, (await reader.ReadAsync().Within())!.Value.Body.Length);
        Assert.Null(await reader.ReadAsync().Within());
        await writing.Within();
    }

    [Fact]
    public async Task A_stream_that_ends_inside_of_a_frame_is_refused()
    {
        var whole = await Bytes(new byte[100]);
        for (var length = 1; length < whole.Length; length++)
            await Assert.ThrowsAsync<InvalidDataException>(async () => await new FrameStream(new MemoryStream(whole, 0, length)).ReadAsync());
    }

    [Fact]
    public async Task A_damaged_header_is_refused()
    {
        var whole = await Bytes(new byte[100]);
        for (var bit = 0; bit < Frame.HeaderLength * 8; bit++)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            await Assert.ThrowsAsync<InvalidDataException>(async () => await new FrameStream(new MemoryStream(damaged)).ReadAsync());
        }
        await Assert.ThrowsAsync<InvalidDataException>(async () => await new FrameStream(new MemoryStream(new byte[64])).ReadAsync());
    }

    [Fact]
    public async Task A_frame_over_the_limit_is_refused_on_both_sides()
    {
        var whole = await Bytes(new byte[100]);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await new FrameStream(new MemoryStream(whole), maxLength: 99).ReadAsync());
        await Assert.ThrowsAsync<MessageTooLargeException>(async () => await new FrameStream(new MemoryStream(), maxLength: 99).WriteAsync(FrameKind.Call, 1, new byte[100]));
    }

    static async Task<byte[]> Bytes(byte[] body)
    {
        var stream = new MemoryStream();
        await new FrameStream(stream).WriteAsync(FrameKind.Call, 1, body);
        return stream.ToArray();
    }
}
