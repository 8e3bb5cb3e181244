using System.Net;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Skein.Tests.Servers;

/// <summary>HTTP sessions: any worker serves any request of theirs, and only who was given a cookie has one.</summary>
[SupportedOSPlatform("linux")]
public sealed class StateHttpTests
{
    [Fact]
    public async Task A_worker_that_is_killed_takes_no_session_with_it()
    {
        await using var store = await SessionStore.StartAsync();
        var environment = new ProcessOptions { Environment = new Dictionary<string, string> { [SessionStore.Variable] = store.Address } };
        var (first, second) = (new TaskCompletionSource<int>(), new TaskCompletionSource<int>());
        await using var one = await Place.OsProcess.StartAsync(ServeAsync, Callback.To((int port) => first.TrySetResult(port)), environment);
        await using var other = await Place.OsProcess.StartAsync(ServeAsync, Callback.To((int port) => second.TrySetResult(port)), environment);
        using var client = new Browser();

        Assert.Equal("1", await client.GetAsync(await first.Task.Within(30), "/count"));
        Assert.Equal("2", await client.GetAsync(await second.Task.Within(30), "/count"));
        Assert.Equal("3", await client.GetAsync(await first.Task, "/count"));
        one.Kill();
        await one.Exited.Within();
        Assert.Equal("4", await client.GetAsync(await second.Task, "/count"));
    }

    [Fact]
    public async Task A_session_lasts_from_its_first_entry_to_its_end()
    {
        await using var application = await StartAsync(new());
        using var client = new Browser();
        var port = new Uri(application.Urls.Single()).Port;
        Assert.Equal("none", await client.GetAsync(port, "/look"));
        Assert.Null(client.Cookie);   // nothing is stored, so there is nothing to find again
        Assert.Equal("1", await client.GetAsync(port, "/count"));
        Assert.Contains("httponly", client.Shape, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", client.Shape, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("1", await client.GetAsync(port, "/look"));
        Assert.Equal(1, await LiveAsync(application));

        var cookie = client.Cookie;
        await client.GetAsync(port, "/end");
        Assert.Null(client.Cookie);
        Assert.Equal(0, await LiveAsync(application));

        client.Cookie = cookie;   // replayed
        Assert.Equal("none", await client.GetAsync(port, "/look"));
        Assert.Equal("1", await client.GetAsync(port, "/count"));
        Assert.NotEqual(cookie?.Split('.')[0], client.Cookie?.Split('.')[0]);   // another session, not the old id again
    }

    [Fact]
    public async Task A_forged_cookie_opens_nothing()
    {
        await using var application = await StartAsync(new());
        var port = new Uri(application.Urls.Single()).Port;
        using var victim = new Browser();
        await victim.GetAsync(port, "/count");
        var cookie = victim.Cookie!;
        var id = cookie.Split('.')[0];
        var forged = new[]
        {
            id, $"{id}.", $"{id}..", $"{id}.{cookie.Split('.')[1]}.", $"{cookie}x", cookie[..^1], cookie.ToUpperInvariant(), "", ".", "..", "...",
            SessionId.Sign(id, DateTimeOffset.UnixEpoch, new byte[32]), $"{id}.ffffffffffffffffffffffff.x", new string('a', 10_000), "\u00e9.1.1",
        };
        foreach (var each in forged.Concat(Enumerable.Range(0, cookie.Length).Select(at => Changed(cookie, at))))
        {
            using var stranger = new Browser { Cookie = Uri.EscapeDataString(each) };
            Assert.Equal("none", await stranger.GetAsync(port, "/look"));
        }

        Assert.Equal("1", await victim.GetAsync(port, "/look"));
    }

    [Fact]
    public async Task A_cookie_whose_session_has_expired_opens_nothing_and_neither_does_one_that_is_too_old()
    {
        var time = new ManualTime();
        await using var application = await StartAsync(new() { IdleTimeout = TimeSpan.FromMilliseconds(200), Lifetime = TimeSpan.FromHours(1), Time = time });
        var port = new Uri(application.Urls.Single()).Port;
        using var client = new Browser();
        await client.GetAsync(port, "/count");
        var cookie = client.Cookie;
        await Limits.Until(() => LiveAsync(application).GetAwaiter().GetResult() == 0, "the session to expire in the store");
        Assert.Equal("none", await client.GetAsync(port, "/look"));
        Assert.Equal("1", await client.GetAsync(port, "/count"));
        Assert.NotEqual(cookie, client.Cookie);

        var key = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32);
        var (id, began) = (SessionId.New(), time.GetUtcNow());
        var signed = SessionId.Sign(id, began, key);
        Assert.Equal(id, SessionId.Verify(signed, began + TimeSpan.FromHours(1), TimeSpan.FromHours(1), key));
        Assert.Null(SessionId.Verify(signed, began + TimeSpan.FromHours(1.01), TimeSpan.FromHours(1), key));
    }

    static string Changed(string cookie, int at) => $"{cookie[..at]}{(cookie[at] == '1' ? '2' : '1')}{cookie[(at + 1)..]}";

    static async Task<long> LiveAsync(WebApplication application) =>
        (await application.Services.GetRequiredService<SessionStoreClient>().CountAsync().Within()).Sessions;

    static async Task ServeAsync(Callback<int, bool> listening)
    {
        await using var application = await StartAsync(new());
        await listening.InvokeAsync(new Uri(application.Urls.Single()).Port);
        await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping);
    }

    static async Task<WebApplication> StartAsync(SessionOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSkeinSessions(options);
        var application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.UseSkeinSessions();
        application.MapGet("/count", (HttpContext context) =>
        {
            var count = (context.Session.GetInt32("count") ?? 0) + 1;
            context.Session.SetInt32("count", count);
            return $"{count}";
        });
        application.MapGet("/look", (HttpContext context) => context.Session.GetInt32("count")?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none");
        application.MapGet("/end", (HttpContext context) => context.Session.Clear());
        await application.StartAsync().Within(30);
        return application;
    }

    /// <summary>Keeps one cookie, as a browser does.</summary>
    sealed class Browser : IDisposable
    {
        readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false }) { Timeout = Limits.Seconds(10) };

        public string? Cookie { get; set; }

        public string Shape { get; private set; } = "";

        public async Task<string> GetAsync(int port, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
            if (Cookie is not null)
                request.Headers.Add("Cookie", $"skein.session={Cookie}");
            using var response = await _client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            if (response.Headers.TryGetValues("Set-Cookie", out var set))
            {
                Shape = set.Single();
                var value = Shape.Split(';')[0]["skein.session=".Length..];
                Cookie = value.Length > 0 ? value : null;
            }

            return await response.Content.ReadAsStringAsync();
        }

        public void Dispose() => _client.Dispose();
    }
}
