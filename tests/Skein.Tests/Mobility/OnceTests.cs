using System.Collections.Concurrent;

namespace Skein.Tests.Mobility;

/// <summary>Side effects that happen once, for whoever checks their ids, through any number of crashes.</summary>
public sealed class OnceTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-once-").FullName;

    /// <summary>Outside of the process: it applies each effect once, by its id.</summary>
    sealed class Bank
    {
        public ConcurrentQueue<string> Asked { get; } = new();

        public ConcurrentDictionary<string, int> Applied { get; } = new();

        public Task<int> WithdrawAsync(EffectId id, int amount)
        {
            Asked.Enqueue($"{id.Step}");
            return Task.FromResult(Applied.GetOrAdd($"{id}", amount));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    FileStore Open() => FileStore.Open(Path.Combine(_folder, "log"));

    static MobileNode Node(MobileStore? store, Bank bank)
    {
        var node = new MobileNode("a", store: store);
        node.Provide("bank", bank);
        return node;
    }

    static async Mobile<string> Pay()
    {
        var steps = new List<string> { $"{await Here.Checkpoint()}" };
        var first = await Here.Once("first", static id => Here.Resource<Bank>("bank").WithdrawAsync(id, 1));
        await Here.Event<bool>("one");
        steps.Add($"{await Here.Checkpoint()}");
        var again = await Here.Once("first", static id => Here.Resource<Bank>("bank").WithdrawAsync(id, 100));
        await Here.Once("second", static async id => { await Here.Resource<Bank>("bank").WithdrawAsync(id, 2); });
        await Here.Event<bool>("two");
        return $"{string.Join(' ', steps)} {first} {again}";
    }

    [Fact]
    public async Task An_effect_happens_again_until_it_is_stored_with_the_same_id_and_never_after()
    {
        var bank = new Bank();
        await using (var store = Open())
        {
            var process = Node(store, bank).Start(Pay);
            await Limits.Until(() => bank.Asked.Count == 1, "the first effect");   // and crash
        }
        MobileProcess<string> restored;
        await using (var store = Open())
        {
            restored = Node(store, bank).Restore<string>(Assert.Single(await store.ReadAsync()).Image.ToArray());
            await Limits.Until(() => bank.Asked.Count == 2, "the first effect again");
            restored.Raise("one", true);
            await Limits.Until(() => bank.Asked.Count == 3, "the second effect");   // after the checkpoint, and crash
        }
        await using (var store = Open())
        {
            restored = Node(store, bank).Restore<string>(Assert.Single(await store.ReadAsync()).Image.ToArray());
            await Limits.Until(() => bank.Asked.Count == 4, "the second effect again");
            restored.Raise("two", true);
            Assert.Equal("Restored Restored 1 1", await restored.Completion.Within());
        }
        Assert.Equal(["first", "first", "second", "second"], bank.Asked);
        Assert.Equal([1, 2], bank.Applied.Values.Order());
    }

    [Fact]
    public async Task Calls_of_one_key_share_one_effect_and_one_that_failed_is_tried_again()
    {
        var bank = new Bank();
        bank.Applied["x"] = 0;
        var results = await Node(null, bank).Start(static async () =>
        {
            var tries = 0;

            async Task<int> Try(EffectId id)
            {
                await Task.Yield();
                return ++tries < 2 ? throw new IOException(id.Step) : tries;
            }

            async Task<int> Succeed(EffectId id)
            {
                await Task.Yield();
                return ++tries;
            }

            var failed = "";
            try
            {
                await Here.Once("a", Try);
            }
            catch (IOException e)
            {
                failed = e.Message;
            }
            var second = await Here.Once("a", Try);
            var both = await Mobile.WhenAll(Here.Once("b", Succeed), Here.Once("b", Succeed));
            Here.Forget("b");
            var forgotten = await Here.Once("b", Succeed);
            string other;
            try
            {
                other = await Here.Once("b", static id => Task.FromResult("text"));
            }
            catch (InvalidOperationException e)
            {
                other = e.Message;
            }
            return $"{failed} {second} {both[0]} {both[1]} {forgotten} {other}";
        }).Completion.Within();
        Assert.StartsWith("a 2 3 3 4 The effect 'b' of mobile process", results, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_by_place_are_the_same_after_a_process_is_restored()
    {
        var (a, b) = (new MobileNode("a"), new MobileNode("b"));
        var process = a.Start(static async () =>
        {
            var first = Here.NextEffect();
            await Here.Event<bool>("go");
            return $"{first} {Here.NextEffect()}";
        });
        var image = await process.CaptureAsync().Within();
        process.Raise("go", true);
        var ids = await process.Completion.Within();
        Assert.Equal($"{process.Id}/#1 {process.Id}/#2", ids);
        var restored = b.Restore<string>(image);
        restored.Raise("go", true);
        Assert.Equal(ids, await restored.Completion.Within());
    }
}
