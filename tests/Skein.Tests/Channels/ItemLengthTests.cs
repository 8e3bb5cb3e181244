using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Threading.Channels;

namespace Skein.Tests;

/// <summary>Both sides know how long an item may be: a longer one is not written, and not believed.</summary>
[SupportedOSPlatform("linux")]
public sealed class ItemLengthTests
{
    [Theory]
    [InlineData((1u << 30) + 1u)]
    [InlineData(uint.MaxValue)]
    public async Task An_item_that_is_announced_as_longer_than_it_may_be_is_refused(uint rest)
    {
        var (readEnd, writeEnd) = EndFactory.Create(ChannelKind.Pipe, capacity: 4, new(IPAddress.Loopback, 0));
        using var reader = new EndReader<byte[]>(readEnd);
        using var writer = writeEnd;
        var packet = new byte[PacketHeader.Size];
        MemoryMarshal.Write(packet, new PacketHeader(0, PacketFlags.First | PacketFlags.Plain, rest, 1));
        Assert.Equal(PortResult.Moved, writer.Port.TryWrite(packet));
        var error = await Assert.ThrowsAsync<ChannelClosedException>(() => reader.ReadAsync(TestContext.Current.CancellationToken).Within());
        Assert.IsType<InvalidDataException>(error.InnerException);
    }

    [Fact]
    public async Task An_item_that_is_longer_than_it_may_be_is_refused_to_its_writer_and_the_channel_goes_on()
    {
        await using var channel = ProcessChannel.Create<byte[]>(ChannelKind.Pipe, capacity: 1);
        var error = Assert.Throws<MessageTooLargeException>(() => channel.Writer.TryWrite(GC.AllocateUninitializedArray<byte>(WireLimits.MaxMessage + 1)));
        Assert.Equal(WireLimits.MaxMessage + 1, error.Size);
        Assert.Equal(WireLimits.MaxMessage, error.Limit);
        Assert.True(channel.Writer.TryWrite([1]));
    }
}
