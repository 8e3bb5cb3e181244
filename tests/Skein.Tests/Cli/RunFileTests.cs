using System.Net.Sockets;

namespace Skein.Tests.Cli;

/// <summary><c>skein run FILE.cs</c>: built once, then started at once; every state of the file has a build of its own.</summary>
public sealed class RunFileTests : IDisposable
{
    readonly ScratchFolder _folder = new();

    Dictionary<string, string> Home => new() { ["SKEIN_HOME"] = _folder["home"] };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_built_once_and_again_when_it_or_what_it_refers_to_has_changed()
    {
        Assert.SkipUnless(Limits.Long, "several builds take their time: ./check --long");
        Directory.CreateDirectory(_folder["library"]);
        var library = _folder.Write("library/Words.cs", "public static class Words { public static string Greeting => \"hello\"; }");
        _folder.Write("library/library.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>");
        var file = _folder.Write("app.cs", "#:project library/library.csproj\nSystem.Console.WriteLine(Words.Greeting + \" \" + string.Join(\"|\", args)); return 5;");

        var first = await RunAsync(file, "--", "a b", "--memory");
        Assert.Equal((5, "hello a b|--memory\n", "skein: building app.cs …\n"), (first.Code, first.Output, first.Error));
        var second = await RunAsync(file, "--", "a b", "--memory");
        Assert.Equal((5, "hello a b|--memory\n", ""), (second.Code, second.Output, second.Error));

        File.WriteAllText(library, "public static class Words { public static string Greeting => \"good day\"; }");
        Assert.Equal("good day \n", (await RunAsync(file)).Output);
        File.WriteAllText(file, "System.Console.WriteLine(\"new\"); return 0;");
        Assert.Equal("new\n", (await RunAsync(file)).Output);
    }

    [Fact]
    public async Task A_file_that_does_not_compile_shows_what_the_compiler_said_and_ends_with_126()
    {
        var file = _folder.Write("broken.cs", "int x = \"text\";\n");
        var ended = await RunAsync(file);
        Assert.Equal((126, ""), (ended.Code, ended.Output));
        Assert.Contains($"{file}(1,9): error CS0029: Cannot implicitly convert type 'string' to 'int'\n", ended.Error);
        Assert.Contains("broken.cs cannot be run: it does not compile.", ended.Error);
    }

    [Fact]
    public async Task A_file_that_is_not_there_behind_its_link_ends_with_66()
    {
        File.CreateSymbolicLink(_folder["dangling.cs"], _folder["gone.cs"]);
        var ended = await RunAsync(_folder["dangling.cs"]);
        Assert.Equal((66, 1), (ended.Code, ended.Error.Count(c => c == '\n')));
        Assert.Contains("dangling.cs cannot be read: ", ended.Error);
    }

    [Fact]
    public async Task A_file_that_has_a_worker_pool_itself_has_its_workers()
    {
        Assert.SkipUnless(Limits.Long, "a build takes its time: ./check --long");
        var library = Path.Combine(Path.GetDirectoryName(SkeinCommand.Dll)!, "Skein.dll");
        var file = _folder.Write("pool.cs", $$"""
            #:property ExtraReference={{library}}
            using Skein;
            await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 2 });
            var ids = new HashSet<int>();
            await foreach (var outcome in pool.MapAsync(Enumerable.Range(0, 20), static i => (i * i, Environment.ProcessId)))
            {
                Console.Write($"{outcome.Value.Item1} ");
                ids.Add(outcome.Value.ProcessId);
            }
            Console.WriteLine(ids.Contains(Environment.ProcessId));
            """);
        _folder.Write("Directory.Build.targets", "<Project><ItemGroup><Reference Include=\"$(ExtraReference)\" /></ItemGroup></Project>");
        var ended = await RunAsync("--memory", "512M", file);
        Assert.Equal((0, string.Concat(Enumerable.Range(0, 20).Select(i => $"{i * i} ")) + "False\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task In_a_thread_it_runs_as_the_application_that_it_is_and_its_limits_hold_as_far_as_they_can()
    {
        var file = _folder.Write("app.cs", "if (args is [\"sleep\"]) System.Threading.Thread.Sleep(60000);\nSystem.Console.WriteLine(System.Reflection.Assembly.GetEntryAssembly()!.GetName().Name + string.Join(\"|\", args)); return 5;");
        var ended = await RunAsync("--place", "thread", file, "--", "x", "y");
        Assert.Equal((5, "appx|y\n"), (ended.Code, ended.Output));
        var late = await RunAsync("--place", "thread", "--timeout", "300ms", "--grace", "100ms", file, "--", "sleep");
        Assert.Equal(124, late.Code);
        var memory = await RunAsync("--place", "thread", "--memory", "64M", file);
        Assert.Equal(64, memory.Code);
        Assert.Contains("--memory takes effect in processes only", memory.Error);
    }

    [Fact]
    public async Task In_a_thread_it_ends_when_a_signals_grace_period_is_over_and_at_once_at_the_second_signal()
    {
        var file = _folder.Write("app.cs", "System.Console.WriteLine(\"begun\");\nSystem.Threading.Thread.Sleep(60000);");
        foreach (var (grace, isTwice) in ((string, bool)[])[("200ms", false), ("10m", true)])
        {
            using var started = SkeinCommand.Start(["run", "--place", "thread", "--grace", grace, file], Home);
            await Limits.Until(() => started.Output.Contains("begun", StringComparison.Ordinal), () => $"the start of Main; so far it said: {started.Error}", 60);
            await started.SignalAsync("TERM");
            if (isTwice)
            {
                await Limits.Until(() => started.Error.Contains("once more ends it", StringComparison.Ordinal), "the first stop");
                await started.SignalAsync("TERM");
            }

            Assert.Equal(143, (await started.EndAsync()).Code);
        }
    }

    [Fact]
    public async Task A_folder_for_builds_that_cannot_be_used_is_a_matter_of_configuration()
    {
        var file = _folder.Write("app.cs", "return 0;");
        _folder.Write("home", "not a folder");
        var ended = await RunAsync(file);
        Assert.Equal(78, ended.Code);
        Assert.Contains("SKEIN_HOME", ended.Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lock_of_builds_that_cannot_be_opened_is_one_too_and_is_not_waited_for(bool isSocket)
    {
        var file = _folder.Write("app.cs", "return 0;");
        var path = _folder["home/cache/apps/.lock"];
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Directory.CreateDirectory(isSocket ? Path.GetDirectoryName(path)! : path);
        if (isSocket)
            socket.Bind(new UnixDomainSocketEndPoint(path));
        var ended = await SkeinCommand.RunAsync("", ["run", file], Home);
        Assert.Equal(78, ended.Code);
        Assert.Contains("SKEIN_HOME", ended.Error);
    }

    Task<Ended> RunAsync(params string[] words) => SkeinCommand.RunAsync("", ["run", .. words], Home, seconds: 60);
}
