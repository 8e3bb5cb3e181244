namespace Skein.Tests.Mobility;

/// <summary>A letter to a stored process is its writer's until the store has it.</summary>
public sealed class StoredLetterTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-letters-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static async Mobile<int> Read()
    {
        await Here.Checkpoint();
        var number = await Here.Receive<int>();
        Here.Resource<TaskCompletionSource>("read").TrySetResult();
        await Here.Event<bool>("end");
        return number;
    }

    static async Mobile Write(string reader)
    {
        Here.Send(reader, 7);
        await Here.Event<bool>("never");
    }

    [Fact]
    public async Task A_letter_that_was_read_and_not_stored_comes_again_when_its_reader_is_restored()
    {
        await using var store = FileStore.Open(Path.Combine(_folder, "readers"));
        var (a, b) = (new MobileNode("a"), new MobileNode("b", store: store));
        var read = new TaskCompletionSource();
        b.Provide("read", read);
        var connection = MemoryConnection.Join(a.Peers, b.Peers);
        var reader = b.Start(Read);
        var id = reader.Id;
        var writer = a.Start(() => Write(id));
        await read.Task.Within();
        await Limits.Until(() => b.Look(id) is { State: "waiting" }, "the reader to wait");

        // What its node has said of it until now is heard.
        var last = a.Start(static async () => await Here.Receive<int>());
        var lastId = last.Id;
        b.Start(async () => Here.Send(lastId, 8));
        Assert.Equal(8, await last.Completion.Within());

        // Its node ends, and there is another one of that name.
        connection.Close();
        var next = new MobileNode("b", store: store);
        next.Provide("read", read);
        var restored = Assert.IsType<MobileProcess<int>>(Assert.Single(await next.RestoreAsync().Within()));
        a.Connect(next);
        restored.Raise("end", true);
        Assert.Equal(7, await restored.Completion.Within());
        writer.Kill();
    }
}
