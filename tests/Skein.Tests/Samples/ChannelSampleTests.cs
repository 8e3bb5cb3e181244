namespace Skein.Tests.Samples;

/// <summary>The sample of channels: every kind carries what it promises.</summary>
public class ChannelSampleTests
{
    [Fact]
    public async Task Every_kind_of_channel_delivers_each_number_once_and_in_order_as_far_as_it_promises()
    {
        const int Count = 700;
        var rows = (await Sample.RunAsync("channels", $"{Count}")).Lines[1..]
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(row => Enum.Parse<ChannelKind>(row[0]));
        Assert.Equal(Enum.GetValues<ChannelKind>(), rows.Keys.Order());
        foreach (var (kind, row) in rows)
        {
            Assert.Equal("yes", row[2]);
            if (kind.Capabilities().HasFlag(ChannelCapabilities.Reliable))
                Assert.Equal([$"{Count}", $"{Count * (Count + 1) / 2}"], [row[1], row[3]]);
            else
                Assert.InRange(int.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture), 1, Count);
        }
    }
}
