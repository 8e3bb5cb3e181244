using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

/// <summary>What the tests call.</summary>
public interface IAccount
{
    string Owner { get; }

    int Balance();

    Task<int> DepositAsync(int amount, CancellationToken cancellation = default);

    ValueTask<int> WithdrawAsync(int amount);

    Task<string[]> AttachAsync(object document);

    /// <summary>The thread of the call before and after an await.</summary>
    Task<(int Before, int After)> ThreadsAsync();

    /// <summary>Waits until the gate of this name opens. One whose name says so fails when the call is cancelled, and not in the call.</summary>
    Task WaitAsync(string gate, CancellationToken cancellation);

    void Close();
}

/// <summary>What an account keeps.</summary>
public sealed class AccountState
{
    public int Balance { get; set; }

    public List<int> Deposits { get; set; } = [];
}

/// <summary>An account in memory; its state goes where the server's store is.</summary>
sealed class Account(string name) : IAccount, IPassivated<AccountState>, IDisposable
{
    public static readonly ConcurrentDictionary<string, TaskCompletionSource> Gates = new();
    int _inside;

    public AccountState State { get; set; } = new();

    public string Owner => name;

    public int Balance() => State.Balance;

    public async Task<int> DepositAsync(int amount, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        if (Interlocked.Increment(ref _inside) > 1)
            throw new InvalidOperationException("two calls at a time");
        await Task.Yield();
        State.Balance += amount;
        State.Deposits.Add(amount);
        Interlocked.Decrement(ref _inside);
        return State.Balance;
    }

    public ValueTask<int> WithdrawAsync(int amount) => new(State.Balance -= amount);

    public Task<string[]> AttachAsync(object document) => Task.FromResult<string[]>([document.GetType().Name, string.Join(' ', State.Deposits)]);

    public async Task<(int Before, int After)> ThreadsAsync()
    {
        var before = Environment.CurrentManagedThreadId;
        await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        return (before, Environment.CurrentManagedThreadId);
    }

    public Task WaitAsync(string gate, CancellationToken cancellation)
    {
        if (gate.StartsWith("fails", StringComparison.Ordinal))
            cancellation.Register(() => throw new InvalidOperationException(gate));
        return Gates.GetOrAdd(gate, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellation);
    }

    public void Close() => throw new NotSupportedException("an account is for ever") { Data = { ["owner"] = name } };

    public void Dispose() => Gates.GetOrAdd($"disposed {name}", _ => new()).TrySetResult();
}

/// <summary>A server of accounts on a socket of its own.</summary>
[SupportedOSPlatform("linux")]
static class Bank
{
    public static ObjectCatalog Catalog(Activation activation = Activation.Shared, ObjectThreads threads = ObjectThreads.Pool, bool durable = false) =>
        new ObjectCatalog().Add<IAccount>(name => name == "nobody" ? null : new Account(name), activation, threads, durable);

    public static string NewPath() => Path.Combine(Path.GetTempPath(), $"bank-{Guid.NewGuid():N}");

    public static Task<ObjectServer> OpenAsync(ObjectCatalog? catalog = null, ObjectServerOptions? options = null, string? path = null) =>
        ObjectServer.StartAsync(new UnixDomainSocketEndPoint(path ?? NewPath()), catalog ?? Catalog(), options);

    /// <summary>Serves durable accounts until it is killed.</summary>
    public static async Task ServeAsync((string Socket, string Folder) where, IProgress<int> ready)
    {
        await using var server = await OpenAsync(Catalog(durable: true), new() { Store = ObjectStore.InFolder(where.Folder) }, where.Socket);
        ready.Report(Environment.ProcessId);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    }
}
