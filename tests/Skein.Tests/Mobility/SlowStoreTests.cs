using System.Collections.Concurrent;

namespace Skein.Tests.Mobility;

/// <summary>What a process does while its store takes its time, or is not there any more.</summary>
public class SlowStoreTests
{
    /// <summary>Keeps what it is given when it is told to.</summary>
    sealed class HeldStore : MobileStore
    {
        readonly SemaphoreSlim _let = new(0);
        int _saving;

        public ConcurrentQueue<string> Saved { get; } = new();

        public int Begun;

        public void Let(int saves) => _let.Release(saves);

        public override async ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default)
        {
            Interlocked.Increment(ref Begun);
            Saved.Enqueue(Interlocked.Increment(ref _saving) == 1 ? "alone" : "beside another");
            await _let.WaitAsync(cancellation);
            Interlocked.Decrement(ref _saving);
        }

        public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) =>
            throw new ObjectDisposedException("the store");

        public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => new([]);

        public override ValueTask DisposeAsync()
        {
            _let.Dispose();
            return default;
        }
    }

    [Fact]
    public async Task A_process_that_is_being_stored_stays_until_it_is()
    {
        await using var store = new HeldStore();
        var (a, b) = (new MobileNode("a", store: store), new MobileNode("b", store: store));
        a.Connect(b);
        var process = a.Start(static async () =>
        {
            await Here.Checkpoint();
            await Here.Checkpoint();
            await Here.Event<bool>("end");
        });
        await Limits.Until(() => store.Begun == 1, "the first save");
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => process.MoveToAsync("b", Limits.Seconds(0.25)));
        Assert.Contains("it is being stored", refused.Message);
        var move = process.MoveToAsync("b");
        store.Let(1);
        await Limits.Until(() => store.Begun == 2, "the second save");
        store.Let(2);
        await move.Within();
        Assert.Equal(["alone", "alone"], store.Saved);
        Assert.Equal("b", process.Node);
        process.Kill();
    }

    sealed class FullStore : MobileStore
    {
        public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => throw new IOException("It is full.");

        public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) => default;

        public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => new([]);

        public override ValueTask DisposeAsync() => default;
    }

    [Fact]
    public async Task Letters_of_a_process_that_could_not_be_stored_leave_as_those_of_any_other()
    {
        var node = new MobileNode("a", store: new FullStore());
        var reader = node.Start(static async () => $"{await Here.Receive<string>()} {await Here.Receive<string>()}");
        var id = reader.Id;
        node.Start(async () =>
        {
            var storing = Here.Checkpoint();
            Here.Send(id, "while it is stored");
            try
            {
                await storing;
            }
            catch (IOException)
            {
                Here.Send(id, "and afterwards");
            }
            await Here.Event<bool>("never");
        });
        Assert.Equal("while it is stored and afterwards", await reader.Completion.Within());
    }

    /// <summary>Forgets when it is told to.</summary>
    sealed class ReluctantStore : MobileStore
    {
        public int Forgetting;

        public TaskCompletionSource Forget { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => default;

        public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default)
        {
            Interlocked.Increment(ref Forgetting);
            return new(Forget.Task);
        }

        public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => new([]);

        public override ValueTask DisposeAsync() => default;
    }

    [Fact]
    public async Task Nobody_hears_that_a_killed_process_has_ended_before_its_store_has_forgotten_it()
    {
        await using var store = new ReluctantStore();
        var node = new MobileNode("a", store: store);
        using var begun = new SemaphoreSlim(0);
        node.Provide("begun", begun);
        node.Provide("gate", new TaskCompletionSource());
        var process = node.Start(static async () =>
        {
            await Here.Checkpoint();
            Here.Resource<SemaphoreSlim>("begun").Release();
            await Here.Resource<TaskCompletionSource>("gate").Task;
        });
        Assert.True(await begun.WaitAsync(Limits.Seconds(10)));
        var before = AskAsync(node, process.Id, AskKind.Capture);   // there is no image while it waits for a task
        process.Kill();
        await Limits.Until(() => store.Forgetting == 1, "its end");
        var after = AskAsync(node, process.Id, AskKind.Inspect);
        Assert.False(before.IsCompleted);
        Assert.False(after.IsCompleted);
        store.Forget.SetResult();
        Assert.True((await Assert.ThrowsAsync<CannotMoveException>(() => before.Within())).IsEnd);
        Assert.True((await Assert.ThrowsAsync<CannotMoveException>(() => after.Within())).IsEnd);
    }

    static Task<AskAnswer> AskAsync(MobileNode node, string process, AskKind kind) =>
        node.AskAsync(process, kind, "", "did not answer", Limits.Seconds(10), TestContext.Current.CancellationToken);

    [Fact]
    public async Task The_end_of_a_process_is_heard_when_its_store_was_closed_before()
    {
        await using var store = new HeldStore();
        store.Let(1);
        var process = new MobileNode("a", store: store).Start(static async () => await Here.Checkpoint());
        var error = await Assert.ThrowsAsync<IOException>(() => process.Completion.Within());
        Assert.Contains("the store still has it", error.Message);
    }
}
