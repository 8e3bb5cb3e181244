using System.Security.Cryptography;

namespace Skein.Tests.Pools;

public class LeaseTests
{
    [Fact]
    public async Task A_worker_sees_and_changes_the_same_bytes()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2 }).Within(20);
        using var lease = Lease.Rent(3_000_000);
        for (var round = 0; round < 10; round++)
        {
            Random.Shared.NextBytes(lease.Span);
            var expected = SHA256.HashData(lease.Span);
            Assert.Equal(expected, await pool.RunAsync(static bytes =>
            {
                var hash = SHA256.HashData(bytes.Span);
                bytes.Span.Reverse();
                return hash;
            }, lease).Within());
            lease.Span.Reverse();
            Assert.Equal(expected, SHA256.HashData(lease.Span));
        }
    }

    [Fact]
    public async Task A_lease_is_not_given_to_another_before_the_task_that_got_it_has_ended()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1 }).Within(20);
        var entered = new TaskCompletionSource();
        var lease = Lease.Rent(200_000);
        lease.Span.Fill(1);
        using var go = new CancellationTokenSource();
        var token = go.Token;
        var sum = pool.RunAsync(static (bytes, when) =>
        {
            when.Item1.Report(0);
            when.Item2.WaitHandle.WaitOne();
            return bytes.Span.ToArray().Sum(each => each);
        }, lease, ((IProgress<int>)new Progress<int>(_ => entered.TrySetResult()), token));
        await entered.Task.Within();
        lease.Dispose();
        using var other = Lease.Rent(200_000);
        other.Span.Fill(9);
        await go.CancelAsync();
        Assert.Equal(200_000, await sum.Within());
    }

    [Fact]
    public async Task A_thread_gets_a_lease_by_reference()
    {
        await using var pool = await WorkerPool.StartAsync(Place.Thread, new() { Workers = 1 }).Within(20);
        using var lease = Lease.Rent(10);
        await pool.RunAsync(static bytes => bytes.Span.Fill(3), lease).Within();
        Assert.Equal(30, lease.Span.ToArray().Sum(each => each));
    }

    [Fact]
    public async Task Blocks_are_used_again_and_more_of_them_than_are_kept_do_no_harm()
    {
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2 }).Within(20);
        for (var round = 0; round < 3; round++)
        {
            var leases = Enumerable.Range(0, 100).Select(_ => Lease.Rent(70_000)).ToArray();
            for (var i = 0; i < leases.Length; i++)
                leases[i].Span.Fill((byte)i);
            var firsts = await Task.WhenAll(leases.Select(lease => pool.RunAsync(static bytes => (int)bytes.Span[^1], lease))).Within(20);
            Assert.Equal(Enumerable.Range(0, 100), firsts);
            foreach (var lease in leases)
                lease.Dispose();
        }
    }
}
