using Skein.Tests.Cli;

namespace Skein.Tests.Mobility;

/// <summary>
/// Nodes on two versions of .NET. A second one whose collections have other fields cannot be had here, so a node of these says of itself that it runs
/// on such a one: what is tested is what images and nodes do about it.
/// </summary>
public sealed class OtherFrameworkTests : IDisposable
{
    static readonly FrameworkLayout Other = new(new(10, 0, 11), ~FrameworkLayout.Own.Fingerprint), Alike = new(new(10, 0, 11), FrameworkLayout.Own.Fingerprint);

    const string Expected = @"The image was made with \.NET 10\.0\.11, whose collections have other fields than those of \.NET \d+\.\d+\.\d+ here: run both with one version of \.NET\.$";

    readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    static async Mobile<string> Roam(string[] nodes)
    {
        var seen = new Queue<string>();
        foreach (var node in nodes)
        {
            try
            {
                await Here.MoveTo(node);
                seen.Enqueue(Here.Node!);
            }
            catch (CannotMoveException e)
            {
                seen.Enqueue(e.Message);
            }
        }
        return string.Join(' ', seen);
    }

    [Fact]
    public async Task A_process_does_not_go_where_collections_have_other_fields_and_goes_on()
    {
        var (a, b, c) = (new MobileNode("a") { Framework = Other }, new MobileNode("b"), new MobileNode("c") { Framework = Alike });
        a.Connect(b);
        b.Connect(c);
        Assert.Matches($"stays at node a: node b did not take it. {Expected}", await a.Start(static () => Roam(["b"])).Completion.Within());
        Assert.Contains("whose collections have other fields than those of .NET 10.0.11 here", await b.Start(static () => Roam(["a"])).Completion.Within(), StringComparison.Ordinal);
        Assert.Equal("c b", await b.Start(static () => Roam(["c", "b"])).Completion.Within());   // another version with the same fields
    }

    static async Mobile<string> Stored()
    {
        var how = await Here.Checkpoint();
        await Here.Event<bool>("end");
        return $"{how}";
    }

    [Fact]
    public async Task What_a_store_has_is_restored_where_the_fields_are_the_same()
    {
        await using (var store = FileStore.Open(_folder["store"]))
        {
            var process = new MobileNode("a", store: store).Start(static () => Stored());
            await Limits.Until(() => store.ReadAsync().AsTask().Within().GetAwaiter().GetResult().Count == 1, "it to be stored");
        }
        await using (var store = FileStore.Open(_folder["store"]))
        {
            var refused = await Assert.ThrowsAsync<InvalidDataException>(() => new MobileNode("a", store: store) { Framework = Other }.RestoreAsync().Within());
            Assert.Contains("whose collections have other fields than those of .NET 10.0.11 here", refused.Message, StringComparison.Ordinal);
            var again = Assert.IsType<MobileProcess<string>>(Assert.Single(await new MobileNode("a", store: store) { Framework = Alike }.RestoreAsync().Within()));
            again.Raise("end", true);
            Assert.Equal("Restored", await again.Completion.Within());
        }
    }

    static async Mobile<bool> Waiting() => await Here.Event<bool>("end");

    [Fact]
    public async Task An_image_is_refused_before_anything_of_it_is_made()
    {
        var image = await new MobileNode("a") { Framework = Other }.Start(static () => Waiting()).CaptureAsync().Within();
        image[^1]++;   // nor is it read
        MobileImage.Seal(image);
        Assert.Matches(Expected, Assert.Throws<InvalidDataException>(() => new MobileNode("b").Restore<bool>(image)).Message);
    }
}
