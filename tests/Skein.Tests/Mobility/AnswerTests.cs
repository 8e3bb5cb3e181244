namespace Skein.Tests.Mobility;

/// <summary>A letter that answers another tells its sender that it has come. Where the sender has ended he is told by himself, or his letters would be kept for ever.</summary>
public sealed class AnswerTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-answer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Letters_of_one_who_has_ended_are_let_go_of_although_they_are_answered()
    {
        await using var store = FileStore.Open(Path.Combine(_folder, "processes"));
        var (a, b) = (new MobileNode("a", store: store), new MobileNode("b"));
        a.Connect(b);
        var reader = b.Start(Answer);
        var id = reader.Id;
        await a.Start(async () =>
        {
            await Here.Checkpoint();
            Here.Send(id, Here.Id!);   // leaves with its end
        }).Completion.Within();
        await UntilEmpty(store);
        reader.Kill();
    }

    /// <summary>Both copies are there before the reader looks.</summary>
    [Fact]
    public async Task So_are_those_that_came_before_and_after_its_end()
    {
        await using var store = FileStore.Open(Path.Combine(_folder, "processes"));
        var (a, b) = (new MobileNode("a", store: store), new MobileNode("b"));
        a.Connect(b);
        using var gate = new ManualResetEventSlim();
        var isInTurn = new TaskCompletionSource();
        b.Provide("gate", gate);
        b.Provide("turn", isInTurn);
        var reader = b.Start(AnswerLater);
        var id = reader.Id;
        await isInTurn.Task.Within();
        var last = b.Start(static async () => await Here.Receive<int>());
        var after = last.Id;
        await a.Start(async () =>
        {
            await Here.Checkpoint();
            Here.Send(id, Here.Id!);
            await Here.Checkpoint();   // it leaves
        }).Completion.Within();
        a.Start(async () => Here.Send(after, 1));   // by the same way, behind them
        Assert.Equal(1, await last.Completion.Within());
        gate.Set();
        await UntilEmpty(store);
        reader.Kill();
    }

    static async Mobile Answer()
    {
        Here.Send(await Here.Receive<string>(), "an answer");
        await Here.Event<bool>("never");
    }

    static async Mobile AnswerLater()
    {
        await Here.Yield();
        Here.Resource<TaskCompletionSource>("turn").SetResult();
        Here.Resource<ManualResetEventSlim>("gate").Wait();   // in a turn: what comes stays in the inbox
        Here.Send(await Here.Receive<string>(), "an answer");
        await Here.Event<bool>("never");
    }

    static async Task UntilEmpty(MobileStore store)
    {
        var left = 1;
        for (var started = TimeProvider.System.GetTimestamp(); left > 0; left = (await store.ReadAsync().Within()).Count)
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(10), "the store keeps what was answered");
    }
}
