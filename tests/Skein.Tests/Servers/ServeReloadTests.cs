namespace Skein.Tests.Servers;

/// <summary>A reload changes the version and nothing else: no request fails, and what cannot serve never does.</summary>
public class ServeReloadTests
{
    [Fact]
    public async Task No_request_fails_while_versions_follow_each_other()
    {
        var reloads = Limits.Long ? 100 : 3;
        await using var app = await ServedApp.StartAsync("--workers", "2");
        var clients = new StrictClients(app.Url).Start(kept: 4, fresh: 4);
        await Limits.Until(() => clients.Answered > 50, "load");

        for (var i = 1; i <= reloads; i++)
        {
            await app.PointAtAsync(app.AddRelease($"v{i}"));
            await app.ReloadAsync();
            using var client = new HttpClient();   // a connection that was there before may be answered once more by the old version
            Assert.Equal($"v{i}", await client.GetStringAsync(new Uri(app.Url, "/version")).Within());
        }

        await Limits.Until(() => app.Workers().Length == 2, "the old workers' end", 20);
        await clients.DisposeAsync();
        Assert.Equal([], clients.Failures);
    }

    [Fact]
    public async Task A_version_that_does_not_start_is_explained_and_never_answers()
    {
        var rounds = Limits.Long ? 20 : 3;
        await using var app = await ServedApp.StartAsync("--workers", "2");
        await using var clients = new StrictClients(app.Url, "/version").Start(kept: 2, fresh: 2);
        var workers = app.Workers();

        for (var i = 1; i <= rounds; i++)
        {
            var folder = app.AddRelease($"bad{i}");
            File.WriteAllText(Path.Combine(folder, "broken.txt"), $"no database in version {i}");
            await app.PointAtAsync(folder);

            Assert.Contains($"no database in version {i}", await app.ReloadAsync(), StringComparison.Ordinal);
            Assert.Equal("0", await app.GetAsync("/version"));
        }

        await Limits.Until(() => app.Workers().Order().SequenceEqual(workers.Order()), "the same workers as before");
        Assert.Equal([], clients.Failures);
    }

    [Fact]
    public async Task A_version_that_is_never_ready_is_given_up()
    {
        Assert.SkipUnless(Limits.Long, "it waits for a deadline: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "1", "--start-timeout", "4s");
        var folder = app.AddRelease("hangs");
        File.WriteAllText(Path.Combine(folder, "hangs.txt"), "");
        await app.PointAtAsync(folder);

        var said = await app.ReloadAsync();

        Assert.Contains("was not ready after 4 s (--start-timeout)", said, StringComparison.Ordinal);
        Assert.Equal("0", await app.GetAsync("/version"));
        await Limits.Until(() => app.Workers().Length == 1, "the end of the one that hangs");
    }

    [Fact]
    public async Task Where_one_worker_does_not_start_nothing_is_left_of_the_others()
    {
        await using var app = await ServedApp.StartAsync("--workers", "2", "--start-timeout", "300s");
        var old = app.Workers();
        var folder = app.AddRelease("half");
        File.WriteAllText(Path.Combine(folder, "one-fails.txt"), "");
        await app.PointAtAsync(folder);

        Assert.Contains("the first of several", await app.ReloadAsync(), StringComparison.Ordinal);

        await Limits.Until(() => app.Workers().SequenceEqual(old), "the old workers, and no others");
    }

    [Fact]
    public async Task A_worker_that_does_not_end_by_itself_is_killed_after_the_deadline()
    {
        Assert.SkipUnless(Limits.Long, "it waits for a deadline: ./check --long");
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "0s");
        var old = app.Workers().Single();
        await app.GetAsync("/stay");

        await app.ReloadAsync();

        await Limits.Until(() => !app.Workers().Contains(old), "the old worker's end", 20);
        await Limits.Until(() => app.Command.Error.Contains($"pid {old}) was ended by signal 9", StringComparison.Ordinal), () => app.Command.Error);
    }

    [Fact]
    public async Task A_missing_version_is_named()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        await app.PointAtAsync("/nowhere");

        Assert.Contains("There is no application", await app.ReloadAsync(), StringComparison.Ordinal);
        Assert.Equal("0", await app.GetAsync("/version"));
    }

    [Fact]
    public async Task A_dll_that_was_overwritten_is_named()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1");
        File.SetLastWriteTimeUtc(Path.Combine(app.Link, "Skein.Tests.Plain.dll"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.Contains("Skein.Tests.Plain.dll in", await app.ReloadAsync(), StringComparison.Ordinal);
        Assert.Contains("was overwritten while workers run it", app.Command.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_that_never_end_are_served_until_the_deadline()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--drain", "2s");
        using var answer = await app.Client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead).Within();
        await using var events = await answer.Content.ReadAsStreamAsync().Within();
        var old = app.Workers().Single();
        var buffer = new byte[64];

        await app.ReloadAsync();

        Assert.True(await events.ReadAsync(buffer).Within() > 0, "an event after the reload");
        await Limits.Until(() => !app.Workers().Contains(old), "the old worker's end", 20);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await events.ReadAsync(buffer).Within() > 0)
            {
                // What was sent before the end.
            }

            throw new IOException("ended");
        });
        Assert.Equal("hello", await app.GetAsync("/"));
    }
}
