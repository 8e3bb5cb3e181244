using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>Sources are served like what is built: they are built at the start, and again when they have changed.</summary>
public class ServeSourceTests
{
    const string Project = """<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>""";

    static string Program(string version) => $$"""
        using Microsoft.AspNetCore.Builder;
        var app = WebApplication.CreateBuilder(args).Build();
        app.UseStaticFiles();
        app.MapGet("/version", () => {{version}});
        app.Run();
        """;

    [Fact]
    public async Task A_project_is_built_anew_by_a_reload_and_one_that_does_not_compile_is_explained_while_the_old_one_serves()
    {
        Assert.SkipUnless(Limits.Long, "three builds take their time: ./check --long");
        var folder = new ScratchFolder();
        Directory.CreateDirectory(folder["web/wwwroot"]);
        folder.Write("web/web.csproj", Project);
        folder.Write("web/Program.cs", Program("\"1\""));
        folder.Write("web/wwwroot/file.txt", "static");
        await using var app = ServedApp.BeginSources(folder, "web", "--workers", "1");
        await app.ServesAsync();
        Assert.Equal("1", await app.GetAsync("/version"));
        Assert.Equal("static", await app.GetAsync("/file.txt"));

        folder.Write("web/Program.cs", Program("\"2\""));
        var reloaded = await app.AskAsync("reload");
        Assert.Equal(0, reloaded.Code);
        Assert.Contains("building web.csproj", reloaded.Error, StringComparison.Ordinal);
        Assert.Equal("2", await FreshAsync(app));

        folder.Write("web/Program.cs", Program("nonsense"));
        var failed = await app.AskAsync("reload");
        Assert.Equal(69, failed.Code);
        Assert.Contains("Program.cs(4,30): error CS0103", failed.Error, StringComparison.Ordinal);
        Assert.Contains("error CS0103", app.Command.Error, StringComparison.Ordinal);
        Assert.Equal("2", await FreshAsync(app));
    }

    [Fact]
    public async Task A_file_is_reloaded_when_it_changes()
    {
        Assert.SkipUnless(Limits.Long, "two builds take their time: ./check --long");
        var folder = new ScratchFolder();
        var file = folder.Write("app.cs", "#:sdk Microsoft.NET.Sdk.Web\n" + Program("\"1\""));
        await using var app = ServedApp.BeginSources(folder, "app.cs", "--workers", "1", "--watch");
        await app.ServesAsync();
        Assert.Equal("1", await app.GetAsync("/version"));

        File.WriteAllText(file, File.ReadAllText(file).Replace("\"1\"", "\"2\"", StringComparison.Ordinal));

        await Limits.Until(() => FreshAsync(app).GetAwaiter().GetResult() == "2", () => app.Command.Error, 40);
    }

    [Fact]
    public async Task A_dll_is_reloaded_when_it_changes_also_after_one_that_does_not_start()
    {
        await using var app = await ServedApp.StartAsync("--workers", "1", "--watch");
        var bad = app.AddRelease("bad");
        File.WriteAllText(Path.Combine(bad, "broken.txt"), "no database");

        await app.PointAtAsync(bad);
        await Limits.Until(() => app.Command.Error.Contains("InvalidOperationException: no database", StringComparison.Ordinal), () => app.Command.Error, 20);
        Assert.Equal("0", await app.GetAsync("/version"));

        await app.PointAtAsync(app.AddRelease("good"));
        await Limits.Until(() => FreshAsync(app).GetAwaiter().GetResult() == "good", () => app.Command.Error, 20);
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task A_build_ends_with_the_server_that_wanted_it()
    {
        Assert.SkipUnless(Limits.Long, "a build takes its time: ./check --long");
        var folder = new ScratchFolder();
        Directory.CreateDirectory(folder["web"]);
        folder.Write("web/Program.cs", Program("\"1\""));
        folder.Write("web/web.csproj", Project.Replace("</Project>", "<Target Name=\"Slow\" BeforeTargets=\"CoreCompile\"><Exec Command=\"echo $$ > pid; exec sleep 1000\" /></Target></Project>", StringComparison.Ordinal));
        await using var app = ServedApp.BeginSources(folder, "web/web.csproj");
        await Limits.Until(() => File.Exists(folder["web/pid"]) && File.ReadAllText(folder["web/pid"]).EndsWith('\n'), () => app.Command.Error, 30);

        await app.Command.SignalAsync("TERM");

        Assert.Equal(0, (await app.Command.EndAsync()).Code);
        await Limits.Until(() => ProcessStatus.Read(int.Parse(File.ReadAllText(folder["web/pid"]), null)) is null or { IsDead: true }, "the end of what the build has started");
        Assert.Empty(Directory.GetDirectories(folder["home/cache/apps"]));
    }

    [Fact]
    public async Task A_folder_without_a_project_or_with_several_is_refused()
    {
        using var folder = new ScratchFolder();
        Assert.Contains("there is no project in the folder", await RefuseAsync(66), StringComparison.Ordinal);
        folder.Write("a.csproj", Project);
        folder.Write("b.csproj", Project);
        Assert.Contains("several projects: say which (a.csproj, b.csproj)", await RefuseAsync(64), StringComparison.Ordinal);

        async Task<string> RefuseAsync(int code)
        {
            var ended = await SkeinCommand.RunAsync("serve", folder.Path);
            Assert.Equal(code, ended.Code);
            return ended.Error;
        }
    }

    // By a new connection: an old one may be answered once more by the old version.
    static async Task<string> FreshAsync(ServedApp app)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri(app.Url, "/version")).Within();
    }
}
