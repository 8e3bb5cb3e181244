using System.Globalization;
using System.Net;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>Sessions beside the workers of <c>skein serve</c>: any worker serves any request, and losing workers loses no session.</summary>
public sealed class ServeSessionTests
{
    [Fact]
    public async Task A_session_goes_on_whichever_worker_serves_it_and_outlives_all_of_them()
    {
        await using var app = await ServedApp.StartWebAsync("--workers", "2", "--sessions", "--", "--sessions", "yes");
        var visitor = new Visitor(app.Url);
        await visitor.VisitAsync(workers: 2);

        foreach (var worker in visitor.Workers.ToArray())
            await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{worker}");
        await visitor.VisitAsync(workers: 4);
        Assert.Contains("skein: reloaded", await app.ReloadAsync(), StringComparison.Ordinal);
        await visitor.VisitAsync(workers: 6);
    }

    [Fact]
    public async Task Sessions_in_a_file_outlive_a_crash_of_everything()
    {
        Assert.SkipUnless(Limits.Long, "two servers are started for it: ./check --long");
        var folder = Directory.CreateTempSubdirectory("skein-sessions-");
        string[] options = ["--workers", "1", "--sessions", "--session-file", Path.Combine(folder.FullName, "sessions.db"), "--", "--sessions", "yes"];
        Visitor visitor;
        await using (var app = await ServedApp.StartWebAsync(options))
        {
            visitor = new(app.Url);
            await visitor.VisitAsync();
            foreach (var process in (int[])[app.Master, .. app.Workers()])
                await SkeinCommand.RunProgramAsync("kill", "-KILL", $"{process}");
        }

        await using (var app = await ServedApp.StartWebAsync(options))
        {
            visitor.Url = app.Url;
            await visitor.VisitAsync();
        }

        folder.Delete(recursive: true);
    }

    /// <summary>Keeps a cookie, counts its visits, and comes by a new connection each time.</summary>
    sealed class Visitor(Uri url)
    {
        readonly CookieContainer _cookies = new();
        int _visits;

        public HashSet<int> Workers { get; } = [];

        public Uri Url { get; set; } = url;

        /// <summary>Comes again until so many workers have served it.</summary>
        public async Task VisitAsync(int workers)
        {
            var started = TimeProvider.System.GetTimestamp();
            while (Workers.Count < workers)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < Limits.Seconds(20), $"waited in vain for {workers} workers; these have served the session: {string.Join(' ', Workers)}");
                await VisitAsync();
            }
        }

        public async Task VisitAsync()
        {
            using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = _cookies }) { Timeout = Limits.Seconds(10) };
            string[] answer;
            try
            {
                answer = (await client.GetStringAsync(new Uri(Url, "/visits"))).Split(' ');
            }
            catch (HttpRequestException)
            {
                return;   // it was with a worker that was being killed
            }

            Workers.Add(int.Parse(answer[1], CultureInfo.InvariantCulture));
            var visits = int.Parse(answer[0], CultureInfo.InvariantCulture);
            Assert.InRange(visits, _visits + 1, _visits + 2);   // one that was counted, and whose answer was lost with its worker
            _visits = visits;
        }
    }
}
