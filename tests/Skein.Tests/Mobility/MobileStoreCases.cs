namespace Skein.Tests.Mobility;

/// <summary>What every store promises. Another one joins by deriving from this.</summary>
public abstract class MobileStoreCases : IDisposable
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("skein-store-").FullName;

    /// <summary>The same store each time: a second call is what follows a crash or a restart.</summary>
    protected abstract MobileStore Open();

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static byte[] Image(int seed, int length)
    {
        var image = new byte[length];
        new Random(seed).NextBytes(image);
        return image;
    }

    protected static async Task<Dictionary<string, byte[]>> AllOf(MobileStore store) =>
        (await store.ReadAsync().Within()).ToDictionary(stored => stored.Id, stored => stored.Image.ToArray());

    [Fact]
    public async Task A_new_store_is_empty()
    {
        await using var store = Open();
        Assert.Empty(await store.ReadAsync().Within());
    }

    [Fact]
    public async Task The_last_image_of_each_process_is_there_after_a_restart()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 10));
            await store.SaveAsync("two", Image(2, 100_000));
            await store.SaveAsync("one", Image(3, 0));
            await store.SaveAsync("grün", Image(4, 7));
            await store.SaveAsync("gone", Image(5, 7));
            await store.RemoveAsync("gone");
            await store.RemoveAsync("never there");
            Assert.Equal(3, (await AllOf(store)).Count);
        }
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(["grün", "one", "two"], all.Keys.Order());
        Assert.Equal(Image(3, 0), all["one"]);
        Assert.Equal(Image(2, 100_000), all["two"]);
        Assert.Equal(Image(4, 7), all["grün"]);
    }

    [Fact]
    public async Task Many_that_save_at_once_are_all_kept()
    {
        const int Processes = 200, Saves = 20;
        await using (var store = Open())
        {
            await Task.WhenAll(Enumerable.Range(0, Processes).Select(process => Task.Run(async () =>
            {
                for (var save = 1; save <= Saves; save++)
                    await store.SaveAsync($"{process}", Image(save, process));
            }))).Within(30);
        }
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(Processes, all.Count);
        Assert.All(all, stored => Assert.Equal(Image(Saves, int.Parse(stored.Key, System.Globalization.CultureInfo.InvariantCulture)), stored.Value));
    }

    [Fact]
    public async Task A_process_is_restored_at_its_last_checkpoint()
    {
        await using (var store = Open())
        {
            var node = new MobileNode("a", store: store);
            var stored = new TaskCompletionSource();
            node.Provide("stored", stored);
            node.Start(Steps).Send(1);
            await stored.Task.Within();
        }
        await using var again = Open();
        var image = Assert.Single(await again.ReadAsync().Within()).Image;
        var restarted = new MobileNode("a", store: again);
        restarted.Provide("stored", new TaskCompletionSource());
        var process = restarted.Restore<string>(image.ToArray());
        process.Send(2);
        Assert.Equal("1 Restored 2 Continued", await process.Completion.Within());
        Assert.Empty(await again.ReadAsync().Within());
    }

    static async Mobile<string> Steps()
    {
        var log = new List<string>();
        while (log.Count < 4)
        {
            log.Add($"{await Here.Receive<int>()}");
            log.Add($"{await Here.Checkpoint()}");
            Here.Resource<TaskCompletionSource>("stored").TrySetResult();
        }
        return string.Join(' ', log);
    }

    [Fact]
    public async Task A_process_that_cannot_be_written_hears_it_and_goes_on()
    {
        await using var store = Open();
        var process = new MobileNode("a", store: store).Start(static async () =>
        {
            using var stream = new FileStream("/dev/null", FileMode.Open);
            try
            {
                await Here.Checkpoint();
                return "stored";
            }
            catch (CannotMoveException e)
            {
                return e.Path;
            }
        });
        Assert.EndsWith("→ local 'stream'", await process.Completion.Within(), StringComparison.Ordinal);
        Assert.Empty(await store.ReadAsync().Within());
    }
}
