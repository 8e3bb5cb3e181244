using System.Net;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

/// <summary>Objects are called as if they were here: whose they are, what runs them, how long they live.</summary>
[SupportedOSPlatform("linux")]
public sealed class ObjectServerTests
{
    [Fact]
    public async Task An_object_is_made_by_its_first_call_and_is_the_same_for_all_clients()
    {
        await using var server = await Bank.OpenAsync();
        await using var one = await ObjectClient.ConnectAsync(server.EndPoint);
        await using var other = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = one.Get<IAccount>("alice");
        Assert.Equal(0, server.ActiveCount);

        Assert.Equal(10, await account.DepositAsync(10).Within());

        Assert.Equal([(typeof(IAccount).FullName!, "alice")], server.Active);
        Assert.Equal(10, other.Get<IAccount>("alice").Balance());
        Assert.Equal(0, other.Get<IAccount>("bob").Balance());
    }

    [Fact]
    public async Task Methods_of_every_shape_are_called()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = client.Get<IAccount>("alice");

        Assert.Equal("alice", account.Owner);
        Assert.Equal(7, await account.DepositAsync(7).Within());
        Assert.Equal(5, await account.WithdrawAsync(2).Within());
        Assert.Equal(["AccountState", "7"], await account.AttachAsync(new AccountState()).Within());
        var error = Assert.Throws<NotSupportedException>(account.Close);
        Assert.Equal("an account is for ever", error.Message);
        Assert.Contains(nameof(Account.Close), error.StackTrace, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => account.DepositAsync(-1).Within());
    }

    [Fact]
    public async Task An_object_of_a_client_is_its_own_and_ends_with_it()
    {
        await using var server = await Bank.OpenAsync(Bank.Catalog(Activation.PerClient));
        await using var other = await ObjectClient.ConnectAsync(server.EndPoint);
        for (var i = 0; i < 50; i++)
        {
            await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
            Assert.Equal(10, await client.Get<IAccount>("alice").DepositAsync(10).Within());
        }

        Assert.Equal(1, await other.Get<IAccount>("alice").DepositAsync(1).Within());
        await Limits.Until(() => server.ActiveCount == 1, "the objects of clients that have left to end");
    }

    [Fact]
    public async Task An_object_of_a_call_ends_with_it()
    {
        await using var server = await Bank.OpenAsync(Bank.Catalog(Activation.PerCall));
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = client.Get<IAccount>("alice");

        Assert.Equal(10, await account.DepositAsync(10).Within());
        Assert.Equal(10, await account.DepositAsync(10).Within());

        await Limits.Until(() => server.ActiveCount == 0, "the objects of calls to end");
    }

    [Theory]
    [InlineData(ObjectThreads.Pool)]
    [InlineData(ObjectThreads.PerObject)]
    [InlineData(ObjectThreads.PerInterface)]
    public async Task An_object_does_one_call_at_a_time_in_order_of_arrival(ObjectThreads threads)
    {
        const int Calls = 500;
        await using var server = await Bank.OpenAsync(Bank.Catalog(threads: threads));
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var account = client.Get<IAccount>("alice");

        var balances = await Task.WhenAll(Enumerable.Range(1, Calls).Select(amount => account.DepositAsync(amount))).Within();

        Assert.Equal(Enumerable.Range(1, Calls).Select(n => n * (n + 1) / 2), balances);
        Assert.Equal(string.Join(' ', Enumerable.Range(1, Calls)), (await account.AttachAsync("").Within())[1]);
    }

    [Fact]
    public async Task What_runs_an_object_is_one_word()
    {
        foreach (var threads in Enum.GetValues<ObjectThreads>())
        {
            await using var server = await Bank.OpenAsync(Bank.Catalog(threads: threads));
            await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
            var calls = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => client.Get<IAccount>($"{i % 4}").ThreadsAsync())).Within();
            var numbers = calls.Select(call => call.Before).Distinct().Count();
            if (threads != ObjectThreads.Pool)
                Assert.All(calls, call => Assert.Equal(call.Before, call.After));
            if (threads == ObjectThreads.PerObject)
                Assert.Equal(4, numbers);
            if (threads == ObjectThreads.PerInterface)
                Assert.Equal(1, numbers);
        }
    }

    [Fact]
    public async Task An_object_that_is_idle_is_passivated_and_found_again()
    {
        await using var server = await Bank.OpenAsync(options: new() { IdleTimeout = TimeSpan.FromMilliseconds(50) });
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var name = $"{Guid.NewGuid()}";
        var account = client.Get<IAccount>(name);
        Assert.Equal(10, await account.DepositAsync(10).Within());

        await Account.Gates.GetOrAdd($"disposed {name}", _ => new()).Task.Within();
        await Limits.Until(() => server.ActiveCount == 0, "the object to be gone");

        Assert.Equal(15, await account.DepositAsync(5).Within());
    }

    [Fact]
    public async Task An_object_at_work_is_not_passivated_however_long_it_takes()
    {
        await using var server = await Bank.OpenAsync(options: new() { IdleTimeout = TimeSpan.FromMilliseconds(20) });
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        var gate = $"{Guid.NewGuid()}";
        var waiting = client.Get<IAccount>("alice").WaitAsync(gate, default);
        await Limits.Until(() => Account.Gates.ContainsKey(gate), "the call to begin");
        for (var i = 0; i < 20; i++)
        {
            var other = client.Get<IAccount>($"{gate} {i}");
            Assert.Equal(1, await other.DepositAsync(1).Within());   // comes and goes meanwhile
        }

        await Account.Gates.GetOrAdd($"disposed {gate} 0", _ => new()).Task.Within();
        Assert.Contains((typeof(IAccount).FullName!, "alice"), server.Active);

        Account.Gates[gate].SetResult();
        await waiting.Within();
    }

    [Fact]
    public async Task A_server_that_stops_answers_what_is_under_way_and_keeps_the_state_of_all()
    {
        var folder = Directory.CreateTempSubdirectory("skein-bank-").FullName;
        var gate = $"{Guid.NewGuid()}";
        Task waiting;
        await using (var server = await Bank.OpenAsync(options: new() { Store = ObjectStore.InFolder(folder) }))
        {
            var client = await ObjectClient.ConnectAsync(server.EndPoint);
            Assert.Equal(10, await client.Get<IAccount>("alice/../ü").DepositAsync(10).Within());
            waiting = client.Get<IAccount>("bob").WaitAsync(gate, default);
            await Limits.Until(() => Account.Gates.ContainsKey(gate), "the call to begin");
            await using var idle = await RawObjectClient.ConnectAsync(server.EndPoint);
            var stopping = server.DisposeAsync();
            await idle.EndAsync().Within();   // the server has told all connections
            Account.Gates[gate].SetResult();
            await stopping.AsTask().Within();
            await waiting.Within();
            await Assert.ThrowsAsync<ServerLostException>(() => client.Get<IAccount>("alice").DepositAsync(10).Within());
            await client.DisposeAsync();
        }

        await using (var server = await Bank.OpenAsync(options: new() { Store = ObjectStore.InFolder(folder) }))
        await using (var client = await ObjectClient.ConnectAsync(server.EndPoint))
            Assert.Equal(10, client.Get<IAccount>("alice/../ü").Balance());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Calls_are_cancelled_at_the_server_and_those_that_wait_are_never_started()
    {
        await using var server = await Bank.OpenAsync();
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        using var cancellation = new CancellationTokenSource();
        var account = client.Get<IAccount>("alice");
        var gate = $"{Guid.NewGuid()}";
        Task[] calls = [account.WaitAsync(gate, cancellation.Token), account.DepositAsync(1000, cancellation.Token)];
        await Limits.Until(() => Account.Gates.ContainsKey(gate), "the call to begin");

        await cancellation.CancelAsync();

        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Within());
        Assert.Equal(1, await account.DepositAsync(1).Within());
    }

    [Fact]
    public async Task What_a_method_has_registered_with_its_token_may_fail_and_costs_no_other_call()
    {
        var log = new LineLog();
        await using var server = await Bank.OpenAsync(options: new() { LoggerFactory = log });
        await using var client = await ObjectClient.ConnectAsync(server.EndPoint);
        using var cancellation = new CancellationTokenSource();
        var (alice, bob) = (client.Get<IAccount>("alice"), client.Get<IAccount>("bob"));
        var (fails, waits) = ($"fails {Guid.NewGuid()}", $"{Guid.NewGuid()}");
        var (failing, waiting) = (alice.WaitAsync(fails, cancellation.Token), bob.WaitAsync(waits, default));
        await Limits.Until(() => Account.Gates.ContainsKey(fails) && Account.Gates.ContainsKey(waits), "the calls to begin");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => failing.Within());
        await Limits.Until(() => log.Lines.Any(line => line.Contains("IAccount 'alice' has registered with its token failed", StringComparison.Ordinal)), "the failure to be reported");
        Account.Gates[waits].SetResult();
        await waiting.Within();
    }

    [Fact]
    public async Task A_call_of_a_client_that_left_is_cancelled()
    {
        await using var server = await Bank.OpenAsync();
        var gate = $"{Guid.NewGuid()}";
        await using (var client = await ObjectClient.ConnectAsync(server.EndPoint))
        {
            _ = client.Get<IAccount>("alice").WaitAsync(gate, default);
            await Limits.Until(() => Account.Gates.ContainsKey(gate), "the call to begin");
        }

        await using var other = await ObjectClient.ConnectAsync(server.EndPoint);
        Assert.Equal(1, await other.Get<IAccount>("alice").DepositAsync(1).Within());
    }

    [Fact]
    public async Task Every_address_a_server_may_have_is_served()
    {
        await using var local = await Bank.OpenAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{local.EndPoint}"));
        await using var server = await ObjectServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), Bank.Catalog(), new() { Secret = "s3cret" });
        await using var client = await ObjectClient.ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)server.EndPoint).Port), new() { Secret = "s3cret" });

        Assert.Equal(10, await client.Get<IAccount>("alice").DepositAsync(10).Within());
    }
}
