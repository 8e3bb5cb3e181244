using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>The process that holds sessions beside the workers.</summary>
[SupportedOSPlatform("linux")]
public sealed class StateStoreTests : IDisposable
{
    static readonly DistributedCacheEntryOptions Times = new() { SlidingExpiration = TimeSpan.FromMinutes(5) };

    readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bytes_are_kept_by_name_and_shared_by_all_workers()
    {
        await using var store = await SessionStore.StartAsync();
        using var one = new SessionStoreClient(store.Address);
        using var other = new SessionStoreClient(store.Address);
        var large = new byte[3_000_000];
        Random.Shared.NextBytes(large);
        await one.SetAsync("large", large, Times).Within();
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => one.SetAsync($"ключ {i}", BitConverter.GetBytes(i), Times))).Within();
        Assert.Equal(large, await other.GetAsync("large").Within());
        var values = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => other.GetAsync($"ключ {i}"))).Within();
        Assert.Equal(Enumerable.Range(0, 500), values.Select(value => BitConverter.ToInt32(value!)));
        Assert.Null(await other.GetAsync("unknown").Within());
        await other.RemoveAsync("large").Within();
        Assert.Null(await one.GetAsync("large").Within());
        Assert.Equal(500, (await one.CountAsync().Within()).Sessions);
        Assert.Equal(BitConverter.GetBytes(3), one.Get("ключ 3"));
    }

    [Fact]
    public async Task A_store_that_is_killed_comes_back_and_what_was_durable_is_there()
    {
        await using var durable = await SessionStore.StartAsync(new() { Durable = true, File = _folder["sessions.db"] });
        await using var other = await SessionStore.StartAsync();
        using var kept = new SessionStoreClient(durable.Address) { Patience = Limits.Seconds(10) };
        using var lost = new SessionStoreClient(other.Address) { Patience = Limits.Seconds(10) };
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => kept.SetAsync($"{i}", [(byte)i], Times))).Within();
        await kept.RemoveAsync("7").Within();
        await lost.SetAsync("1", [1], Times).Within();
        var key = await kept.KeyAsync(default);

        await KillAsync(durable.OsProcessId!.Value, other.OsProcessId!.Value);

        for (var i = 0; i < 200; i++)
            Assert.Equal(i == 7 ? null : [(byte)i], await kept.GetAsync($"{i}").Within(30));
        Assert.Equal(key, await kept.KeyAsync(default));   // cookies hold
        Assert.Null(await lost.GetAsync("1").Within(30));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_kill_of_everything()
    {
        var file = _folder["sessions.db"];
        var acknowledged = new List<int>();
        var many = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var everything = await Place.OsProcess.StartAsync(StoreAsync, file, Callback.To((int number) =>
        {
            lock (acknowledged)
            {
                acknowledged.Add(number);
                return acknowledged.Count >= 300 && many.TrySetResult();
            }
        }), new() { Environment = new Dictionary<string, string> { ["TMPDIR"] = _folder.Path } });   // what is killed does not tidy up
        await many.Task.Within(30);
        everything.Kill();
        await everything.Exited.Within();

        await using var store = await StartWhenFreeAsync(new() { Durable = true, File = file });
        using var client = new SessionStoreClient(store.Address);
        int[] expected;
        lock (acknowledged)
            expected = [.. acknowledged];
        foreach (var number in expected)
            Assert.Equal(BitConverter.GetBytes(number), await client.GetAsync($"{number}").Within());
        Assert.Equal("used", Encoding.UTF8.GetString((await client.GetAsync("used").Within())!));
    }

    [Fact]
    public void Durable_sessions_expire_while_nobody_holds_them()
    {
        var time = new ManualTime();
        var options = new SessionOptions { Durable = true, File = _folder["sessions.db"], IdleTimeout = TimeSpan.FromMinutes(16), Time = time };
        using (var sessions = new StoredSessions(options))
        {
            sessions.Set("unused", [1], 0, 0);
            sessions.Set("used", [2], 0, 0);
            sessions.Set("ended", [3], 0, 0);
            sessions.Remove("ended", null, out _);
            time.Advance(TimeSpan.FromMinutes(10));
            Assert.Equal([2], sessions.Get("used"));
        }

        time.Advance(TimeSpan.FromMinutes(8));
        using (var sessions = new StoredSessions(options))
        {
            Assert.Equal(1, sessions.Count.Sessions);
            Assert.Equal([2], sessions.Get("used"));
            time.Advance(TimeSpan.FromMinutes(15));
            Assert.Equal([2], sessions.Get("used"));
        }

        time.Advance(TimeSpan.FromDays(2));
        using (var sessions = new StoredSessions(options))
            Assert.Equal((0, 0), sessions.Count);
    }

    [Fact]
    public async Task Two_stores_do_not_share_a_file_and_a_file_that_is_none_is_named()
    {
        var options = new SessionOptions { Durable = true, File = _folder["sessions.db"] };
        await using var first = await SessionStore.StartAsync(options);
        var second = await Assert.ThrowsAnyAsync<Exception>(() => SessionStore.StartAsync(options));
        Assert.Contains("Is another store using it?", second.Message, StringComparison.Ordinal);
        var none = await Assert.ThrowsAnyAsync<Exception>(() => SessionStore.StartAsync(options with { File = _folder.Write("text.db", new string('x', 5000)) }));
        Assert.Contains("text.db", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_costs_the_connection_it_came_by_and_no_other()
    {
        await using var store = await SessionStore.StartAsync();
        using var client = new SessionStoreClient(store.Address);
        await client.SetAsync("a", [1], Times).Within();
        var random = new Random(20261121);
        for (var i = 0; i < 50; i++)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(store.Address));
            var garbage = new byte[random.Next(1, 5000)];
            random.NextBytes(garbage);
            if (i % 2 == 0)
            {
                var frames = new FrameStream(new NetworkStream(socket));
                frames.Write(FrameKind.Call, 1, garbage.AsSpan(0, Math.Min(garbage.Length, i)));   // a frame, but no call
            }
            else
            {
                await socket.SendAsync(garbage);
            }

            socket.Shutdown(SocketShutdown.Send);
            try
            {
                while (await socket.ReceiveAsync(garbage).Within() > 0)
                    continue;
            }
            catch (SocketException)
            {
                // Broken off in the middle of what was sent.
            }
        }

        Assert.Equal([1], await client.GetAsync("a").Within());
        Assert.Equal(1, (await client.CountAsync().Within()).Sessions);
    }

    [Fact]
    public async Task Another_user_is_refused_even_where_the_file_would_let_him_in()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/python3"), "needs root, setpriv and python3");
        await using var store = await SessionStore.StartAsync();
        const UnixFileMode All = (UnixFileMode)511;
        for (var folder = new DirectoryInfo(Path.GetDirectoryName(store.Address)!); folder.FullName is not ("/" or "/tmp"); folder = folder.Parent!)
            File.SetUnixFileMode(folder.FullName, folder.UnixFileMode | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        File.SetUnixFileMode(store.Address, All);
        // Asks for the key of the cookies, and prints how much it gets.
        var frame = new MemoryStream();
        await new FrameStream(frame).WriteAsync(FrameKind.Call, 1, StoreRequest.ToBytes(StoreCall.Key, ""));
        var script = $"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{store.Address}')\n" +
            $"try:\n  s.sendall(bytes.fromhex('{Convert.ToHexString(frame.ToArray())}')); print(len(s.recv(1000)))\nexcept OSError: print(0)";

        Assert.Equal("45\n", (await SkeinCommand.RunProgramAsync("/usr/bin/python3", "-c", script)).Output);
        Assert.Equal("0\n", (await SkeinCommand.RunProgramAsync("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", script)).Output);
    }

    [Fact]
    public async Task What_is_too_large_for_the_store_is_refused_with_its_bound_and_what_was_there_stays()
    {
        await using var store = await SessionStore.StartAsync(new() { MaxBytes = 800_000 });
        using var client = new SessionStoreClient(store.Address) { Patience = TimeSpan.FromHours(1) };   // a broken connection would be tried again for ever
        await client.SetAsync("a", [1], Times).Within();
        var large = await Assert.ThrowsAsync<ArgumentException>(() => client.SetAsync("a", new byte[100_001], Times).Within());
        Assert.Contains("100,000 is the most", large.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => client.SetAsync("a", new byte[1_000_000], Times).Within());
        Assert.Equal([1], await client.GetAsync("a").Within());
        await client.SetAsync("a", new byte[100_000], Times).Within();
        Assert.Equal(100_000, (await client.GetAsync("a").Within())!.Length);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_named()
    {
        using var client = new SessionStoreClient(_folder["none"]) { Patience = TimeSpan.FromMilliseconds(50) };
        var error = await Assert.ThrowsAsync<IOException>(() => client.GetAsync("a").Within());
        Assert.Contains(_folder["none"], error.Message, StringComparison.Ordinal);
    }

    static async Task StoreAsync(string file, Callback<int, bool> acknowledged)
    {
        await using var store = await SessionStore.StartAsync(new() { Durable = true, File = file });
        using var client = new SessionStoreClient(store.Address);
        await client.SetAsync("used", "used"u8.ToArray(), Times);
        await Parallel.ForAsync(0, int.MaxValue, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            await client.SetAsync($"{number}", BitConverter.GetBytes(number), Times, CancellationToken.None);
            await acknowledged.InvokeAsync(number);
        });
    }

    // The store of a killed parent dies a moment after it.
    static async Task<SessionStore> StartWhenFreeAsync(SessionOptions options)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await SessionStore.StartAsync(options);
            }
            catch (Exception error) when (tries < 100 && error.Message.Contains("Is another store using it?", StringComparison.Ordinal))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    static Task<Ended> KillAsync(params int[] processes) => SkeinCommand.RunProgramAsync("kill", ["-KILL", .. processes.Select(id => $"{id}")]);
}
