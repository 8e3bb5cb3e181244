using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Versioning;
using System.Security.Authentication;

namespace Skein.Tests.Servers;

/// <summary>What can go wrong between a client and an object has a name of its own each, and costs nobody else.</summary>
[SupportedOSPlatform("linux")]
public sealed class ObjectFaultTests
{
    public interface IUnserved
    {
        Task NothingAsync();
    }

    [Fact]
    public async Task What_the_server_does_not_know_is_said()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);

        var nobody = await Assert.ThrowsAsync<UnknownObjectException>(() => client.Get<IAccount>("nobody").DepositAsync(1).Within());
        Assert.Contains("'nobody'", nobody.Message, StringComparison.Ordinal);
        var unserved = await Assert.ThrowsAsync<UnknownObjectException>(() => client.Get<IUnserved>("alice").NothingAsync().Within());
        Assert.Contains(nameof(IUnserved), unserved.Message, StringComparison.Ordinal);
        Assert.Equal(1, await client.Get<IAccount>("alice").DepositAsync(1).Within());
        await Limits.Until(() => server.ActiveCount == 1, "nothing to stay of what is not there");
    }

    [Fact]
    public async Task A_method_that_the_servers_version_of_an_interface_lacks_is_said()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);

        // The client's version: made at run time, with the same name and one method more.
        var module = AssemblyBuilder.DefineDynamicAssembly(new("AnotherBuild"), AssemblyBuilderAccess.Run).DefineDynamicModule("main");
        var builder = module.DefineType(typeof(IAccount).FullName!, TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract);
        foreach (var (name, result) in new[] { ("Balance", typeof(int)), ("Overdraft", typeof(int)) })
            builder.DefineMethod(name, MethodAttributes.Public | MethodAttributes.Abstract | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.NewSlot, result, []);
        var type = builder.CreateType();
        var account = typeof(ObjectClient).GetMethod(nameof(ObjectClient.Get))!.MakeGenericMethod(type).Invoke(client, ["alice"]);

        Assert.Equal(0, type.GetMethod("Balance")!.Invoke(account, []));
        var error = Assert.Throws<TargetInvocationException>(() => type.GetMethod("Overdraft")!.Invoke(account, []));

        Assert.Contains("Overdraft", Assert.IsType<UnknownMethodException>(error.InnerException).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_argument_that_cannot_travel_is_refused_where_it_is_with_the_path_to_it()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = client.Get<IAccount>("alice");

        var refused = await Assert.ThrowsAsync<CannotTravelException>(() => account.AttachAsync(new[] { new MemoryStream() }).Within());

        Assert.StartsWith("AttachAsync: argument 1 → ", refused.Message, StringComparison.Ordinal);
        Assert.Equal(typeof(MemoryStream), refused.Type);
        Assert.Equal(1, await account.DepositAsync(1).Within());
    }

    [Fact]
    public async Task An_argument_that_the_server_will_not_make_is_refused_there_and_the_connection_goes_on()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        await using var raw = await RawObjectClient.ConnectAsync(server.EndPoint);
        raw.Bind(typeof(IAccount));

        raw.Call(typeof(IAccount), nameof(IAccount.AttachAsync), "alice", writer =>
        {
            writer.WriteByte(2);   // a new object of a class that follows: a type of the framework, by its name
            writer.WriteByte(1);
            writer.WriteByte(0);
            writer.WriteText("System.Diagnostics.Process");
            writer.WriteText("System.Diagnostics.Process");
        });
        raw.Call(typeof(IAccount), nameof(IAccount.DepositAsync), "alice", writer => writer.Write(5));

        Assert.Equal((ObjectFrameKind.Fault, (byte)ObjectFault.RefusedType), await raw.ReadAsync().Within());
        Assert.Equal(ObjectFrameKind.Result, (await raw.ReadAsync().Within()).Kind);
        Assert.Equal(5, client.Get<IAccount>("alice").Balance());
    }

    [Fact]
    public async Task A_server_that_dies_fails_the_calls_that_are_out_and_a_durable_object_is_found_by_its_successor()
    {
        var path = Bank.NewPath();
        var folder = Directory.CreateTempSubdirectory("skein-bank-").FullName;
        var first = await StartBankAsync(path, folder);
        await using var client = await ObjectClient.ConnectAsync(new UnixDomainSocketEndPoint(path));
        var account = client.Get<IAccount>("alice");
        Assert.Equal(10, await account.DepositAsync(10).Within());
        var call = account.WaitAsync("never", default);

        first.Kill();

        var lost = await Assert.ThrowsAsync<ServerLostException>(() => call.Within());
        Assert.Contains("not known", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ServerLostException>(() => account.DepositAsync(10).Within());

        File.Delete(path);
        var second = await StartBankAsync(path, folder);
        Assert.Equal(15, await account.DepositAsync(5).Within());
        second.Kill();
        await client.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        File.Delete(path);
    }

    static async Task<System.Diagnostics.Process> StartBankAsync(string path, string folder)
    {
        var ready = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Place.OsProcess.StartAsync(Bank.ServeAsync, (path, folder), (IProgress<int>)new Report(ready.SetResult));
        return System.Diagnostics.Process.GetProcessById(await ready.Task.Within());
    }

    sealed class Report(Action<int> report) : IProgress<int>
    {
        void IProgress<int>.Report(int value) => report(value);
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_calls_nothing()
    {
        await using var server = await Bank.OpenAsync(options: new() { Secret = "s3cret" });

        await Assert.ThrowsAsync<AuthenticationException>(() => ObjectClient.ConnectAsync(server.EndPoint, new() { Secret = "guess" }).Within());
        await Assert.ThrowsAsync<AuthenticationException>(() => ObjectClient.ConnectAsync(server.EndPoint).Within());
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint, new() { Secret = "s3cret" });
        Assert.Equal(0, client.Get<IAccount>("alice").Balance());

        using var liar = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await liar.ConnectAsync(server.EndPoint).Within();
        await using var stream = new NetworkStream(liar);
        await stream.ReadExactlyAsync(new byte[48]).AsTask().Within();
        await stream.WriteAsync(new byte[64]).AsTask().Within();   // random bytes, and a proof of nothing
        using var rest = new MemoryStream();
        await stream.CopyToAsync(rest).Within();
        Assert.Equal(new byte[33], rest.ToArray());   // no, and no proof either
    }

    [Fact]
    public async Task An_address_that_others_reach_needs_a_secret()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => ObjectServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), Bank.Catalog()));
        Assert.Contains("Secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_ends_its_own_connection_only()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        using var garbage = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await garbage.ConnectAsync(server.EndPoint).Within();
        await garbage.SendAsync(new byte[1000]).Within();
        await using var raw = await RawObjectClient.ConnectAsync(server.EndPoint);
        raw.SendBytes([0xFF, 0xFF, 0xFF, 0x7F, 2, 0, 0, 0, 0]);   // a call of 2 GiB

        await raw.EndAsync().Within();
        Assert.Equal(0, client.Get<IAccount>("alice").Balance());
    }

    [Fact]
    public async Task A_client_that_does_not_read_its_answers_is_not_heard_further_and_holds_up_nobody()
    {
        const int Calls = 2000;
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        await using var deaf = await RawObjectClient.ConnectAsync(server.EndPoint);
        deaf.Bind(typeof(IAccount));
        var name = new string('n', 50_000);   // which is the answer as well
        var sent = 0;
        var sending = Task.Run(() =>
        {
            for (; sent < Calls; sent++)
                deaf.Call(typeof(IAccount), "get_Owner", name, _ => { });
        });

        var (before, same) = (-1, 0);
        await Limits.Until(() => (same = sent == before ? same + 1 : 0) == 100 | (before = sent) == Calls, "the server to hear no more of it");
        Assert.False(sending.IsCompleted, "the server has kept 100 MB of answers that nobody reads");
        Assert.Equal(1, await client.Get<IAccount>("alice").DepositAsync(1).Within());

        for (var i = 0; i < Calls; i++)
            Assert.Equal(ObjectFrameKind.Result, (await deaf.ReadAsync().Within()).Kind);
        await sending.Within();
    }

    [Fact]
    public async Task An_argument_or_a_result_that_is_too_long_is_refused_with_the_limit_and_what_raises_it()
    {
        await using var server = await Bank.OpenAsync(options: new() { MaxMessage = 2000 });
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint, new() { MaxMessage = 1500 });
        var account = client.Get<IAccount>("alice");

        var argument = await Assert.ThrowsAsync<MessageTooLargeException>(() => account.AttachAsync(new byte[3000]).Within());
        Assert.Equal(1500, argument.Limit);
        Assert.Contains("the limit is 1,500 (raised by ObjectClientOptions.MaxMessage here, and the server's)", argument.Message, StringComparison.Ordinal);
        for (var i = 0; i < 1000; i++)
            await account.DepositAsync(1).Within();
        var result = await Assert.ThrowsAnyAsync<Exception>(() => account.AttachAsync("x").Within());
        Assert.Contains("the limit is 2,000 (raised by ObjectServerOptions.MaxMessage at the server, and the client's)", result.Message, StringComparison.Ordinal);
        Assert.Equal(1000, account.Balance());   // the connection goes on
    }

    [Fact]
    public async Task An_interface_that_cannot_be_called_from_elsewhere_is_refused_when_it_is_named()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);

        Assert.Contains("generic", Assert.Throws<ArgumentException>(() => client.Get<IGeneric>("")).Message, StringComparison.Ordinal);
        Assert.Contains("memory", Assert.Throws<ArgumentException>(() => client.Get<IByReference>("")).Message, StringComparison.Ordinal);
        Assert.Contains("memory", Assert.Throws<ArgumentException>(() => client.Get<IOut>("")).Message, StringComparison.Ordinal);
        Assert.Contains("itself has its body", Assert.Throws<NotSupportedException>(() => client.Get<IWithBody>("").Twice(1)).Message, StringComparison.Ordinal);
        Assert.Contains("is of an event", Assert.Throws<ArgumentException>(() => client.Get<IWithEvent>("")).Message, StringComparison.Ordinal);
        Assert.Contains("come one by one", Assert.Throws<ArgumentException>(() => client.Get<INumbers>("")).Message, StringComparison.Ordinal);
        Assert.Contains("no interface", Assert.Throws<ArgumentException>(() => client.Get<Account>("")).Message, StringComparison.Ordinal);
    }

    public interface IGeneric
    {
        Task<T> Echo<T>(T value);
    }

    public interface IWithEvent
    {
        event EventHandler Changed;
    }

    public interface INumbers
    {
        IAsyncEnumerable<int> All();
    }

    public interface IOut
    {
        bool TryGet(out int value);
    }

    public interface IWithBody
    {
        int Twice(int value) => 2 * value;
    }

    public interface IByReference
    {
        void Add(ref int value);
    }

    [Fact]
    public async Task An_object_whose_state_cannot_be_saved_stays()
    {
        var store = new FailingStore();
        await using var server = await Bank.OpenAsync(options: new() { IdleTimeout = TimeSpan.FromMilliseconds(20), Store = store });
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = client.Get<IAccount>("alice");
        Assert.Equal(10, await account.DepositAsync(10).Within());

        await Limits.Until(() => store.Failures > 1, "two tries to save");

        Assert.Equal(10, account.Balance());
        store.IsFull = false;
        await Limits.Until(() => server.ActiveCount == 0, "the object to be passivated");
        Assert.Equal(10, account.Balance());
    }

    // Stands for a disk that is full for a while, which a store of the framework's files cannot be made to have here.
    sealed class FailingStore : ObjectStore
    {
        readonly ObjectStore _store = InMemory();

        public volatile bool IsFull = true;

        public int Failures;

        public override ValueTask<byte[]?> LoadAsync(string kind, string name, CancellationToken cancellation = default) => _store.LoadAsync(kind, name, cancellation);

        public override ValueTask SaveAsync(string kind, string name, byte[] state, CancellationToken cancellation = default)
        {
            if (!IsFull)
                return _store.SaveAsync(kind, name, state, cancellation);
            Interlocked.Increment(ref Failures);
            throw new IOException("no space left");
        }
    }
}
