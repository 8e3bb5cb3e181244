using System.Text.Json;

namespace Skein.Tests.Cli;

/// <summary><c>skein map FILE.cs --function NAME</c>: a C# function in warm workers, called with what an input says.</summary>
public sealed class MapFunctionTests(MapFunctionTests.BuiltFile file) : IClassFixture<MapFunctionTests.BuiltFile>
{
    const string Source = """
        #nullable enable
        #pragma warning disable CS8321
        Console.WriteLine("Main ran");
        var captured = args.Length;
        static string Render(string s) => "<" + s + ">";
        static int Add(int a, int b) => a + b;
        static double Sum(double factor, params double[] rest) => factor * rest.Sum();
        static string Join(string[] all) => string.Join('|', all);
        static string Day(DateOnly day, DayOfWeek expected, bool sure = true) => $"{day:yyyy}-{day.DayOfYear} {day.DayOfWeek == expected} {sure}";
        static async Task<(int Length, string Upper)> Info(string s) { await Task.Yield(); return (s.Length, s.ToUpperInvariant()); }
        static void Print(string s) => Console.WriteLine("printed " + s);
        static string Name(FileInfo file, DirectoryInfo? folder = null) => $"{file.Name} {folder?.FullName}";
        static FileAccess Access(FileAccess access) => access;
        static string? Nothing(string s) => null;
        static int Id(string s) { Thread.Sleep(20); return Environment.ProcessId; }
        static string Who(string s) => System.Reflection.Assembly.GetEntryAssembly()!.GetName().Name + " " + Environment.GetEnvironmentVariable("DOTNET_STARTUP_HOOKS");
        static string Hooked(string s) => Environment.GetEnvironmentVariable("DOTNET_STARTUP_HOOKS") + " " + AppContext.TryGetSwitch("Skein.Tests.Hooked", out _);
        static string Say(string s) { Console.WriteLine("said " + s); Thread.Sleep(300); return s; }
        static int Ignore(string begun) { File.WriteAllText(begun, ""); Thread.Sleep(60000); return 0; }
        int Captures(int a) => a + captured;
        static string Read(Stream s) => "";
        static int Vanish(string s)
        {
            var own = System.Reflection.Assembly.GetEntryAssembly()!.Location;
            File.Move(own, own + ".gone");
            Environment.Exit(3);
            return 0;
        }
        static int Fail(string how)
        {
            switch (how)
            {
                case "crash": Environment.FailFast("crashed"); break;
                case "throw": throw new InvalidOperationException("thrown on purpose");
                case "exit": Environment.Exit(7); break;
                case "spin": while (true) { }
                case "leak": var all = new List<byte[]>(); while (true) { var more = new byte[1 << 20]; Array.Fill(more, (byte)1); all.Add(more); }
            }
            return how.Length;
        }
        static class Pages
        {
            public sealed record Page(string Name, double Size);
            public static ValueTask<Page> Render(string name) => ValueTask.FromResult(new Page(name, 1.5));
        }
        """;

    [Fact]
    public async Task Results_come_in_the_order_of_the_inputs_and_Main_does_not_run()
    {
        var ended = await MapAsync("Render", [.. Enumerable.Range(0, 200).Select(i => $"{i} {i}")]);
        Assert.Equal((0, string.Concat(Enumerable.Range(0, 200).Select(i => $"<{i} {i}>\n")), ""), (ended.Code, ended.Output, ended.Error));
    }

    [Theory]
    [InlineData("Add", "1 2", "3")]
    [InlineData("Add", "-1\t2", "1")]
    [InlineData("Sum", "1.5 1 2 3", "9")]
    [InlineData("Sum", "2", "0")]
    [InlineData("Join", "a b\tc", "a b|c")]
    [InlineData("Join", "a  b c", "a|b|c")]
    [InlineData("Day", "2026-01-31 saturday", "2026-31 True True")]
    [InlineData("Day", "2026-01-31 Monday false", "2026-31 False False")]
    [InlineData("Name", "/tmp/a.txt /tmp/b", "a.txt /tmp/b")]
    [InlineData("Access", "read, WRITE", "\"ReadWrite\"")]
    [InlineData("Info", "ä b", "{\"Item1\":3,\"Item2\":\"Ä B\"}")]
    [InlineData("Pages.Render", "x", "{\"Name\":\"x\",\"Size\":1.5}")]
    public async Task An_input_becomes_the_functions_arguments_and_its_result_a_line(string function, string input, string line) =>
        Assert.Equal((0, line + "\n"), await CodeAndOutputAsync(function, input));

    [Fact]
    public async Task A_function_without_a_result_prints_nothing_and_what_workers_print_is_no_result()
    {
        var ended = await MapAsync("Print", "a");
        Assert.Equal((0, "", "printed a\n"), (ended.Code, ended.Output, ended.Error));
        Assert.Equal((0, ""), await CodeAndOutputAsync("Nothing", "a"));
    }

    [Fact]
    public async Task Workers_are_warm_and_are_the_application_itself()
    {
        var ids = (await MapAsync("Id", [.. Enumerable.Range(0, 40).Select(i => $"{i}")])).Lines.Distinct().Count();
        Assert.InRange(ids, 1, Environment.ProcessorCount);
        Assert.Equal((0, "functions \n"), await CodeAndOutputAsync("Who", "x"));
    }

    [Theory]
    [InlineData("Rendr", "functions has no function 'Rendr'. At its top level it has: Access, Add,")]
    [InlineData("Pages.Rendr", "functions has no function 'Pages.Rendr'")]
    [InlineData("Captures", "Captures uses variables of the file's top level")]
    [InlineData("Read", "the parameter 's' is of type System.IO.Stream, which cannot be made of text")]
    public async Task A_function_that_cannot_be_called_is_a_matter_of_usage(string function, string message)
    {
        var ended = await MapAsync(function, "a");
        Assert.Equal(64, ended.Code);
        Assert.Contains(message, ended.Error);
    }

    [Theory]
    [InlineData("Day", "2026-01-31 99")]
    [InlineData("Day", "2026-01-31 6")]
    [InlineData("Day", "2026-01-31 Monday,Tuesday")]
    [InlineData("Access", "4")]
    public async Task An_enum_is_read_by_its_names(string function, string input)
    {
        var ended = await MapAsync(function, input);
        Assert.Equal((64, ""), (ended.Code, ended.Output));
        Assert.Contains(function == "Day" ? "is no DayOfWeek (Sunday, Monday," : "is no FileAccess (Read, Write, ReadWrite)", ended.Error);
    }

    [Fact]
    public async Task Nothing_is_left_in_the_temporary_folder()
    {
        using var folder = new ScratchFolder();
        var ended = await SkeinCommand.RunAsync("", ["map", file.Path, "--function", "Render", ":::", "a"], new Dictionary<string, string>(file.Home) { ["TMPDIR"] = folder.Path });
        Assert.Equal((0, "<a>\n"), (ended.Code, ended.Output));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_startup_hook_of_the_users_own_runs_in_the_workers_and_ours_is_not_seen()
    {
        var hook = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child.dll");
        var ended = await SkeinCommand.RunAsync("", ["map", file.Path, "--function", "Hooked", ":::", "a"],
            new Dictionary<string, string>(file.Home) { ["DOTNET_STARTUP_HOOKS"] = hook });
        Assert.Equal((0, $"{hook} True\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task Why_no_worker_can_be_started_is_said_while_the_inputs_wait()
    {
        Assert.SkipUnless(Limits.Long, "workers are started in vain for it: ./check --long");
        using var folder = new ScratchFolder();
        var own = folder.Write("vanishing.cs", Source);   // the build of this one is destroyed
        using var started = SkeinCommand.Start(["map", own, "--function", "Vanish", "--jobs", "1", "--keep-going", ":::", "a", "b"], file.Home);
        await Limits.Until(() => started.Error.Contains("no worker can be started, and the inputs wait: ", StringComparison.Ordinal), () => $"the reason; so far it said: {started.Error}", 20);
        await started.SignalAsync("INT");
        var ended = await started.EndAsync();
        Assert.Equal(130, ended.Code);
        Assert.Contains("vanishing", ended.Error.Split("inputs wait: ")[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 x", "'x' (field 2, parameter 'b') is no int")]
    [InlineData("1", "the function takes 2 fields, and the input has 1")]
    [InlineData("1 2 3", "the function takes 2 fields, and the input has 3")]
    [InlineData("1,5 2", "'1,5' (field 1, parameter 'a') is no int")]
    public async Task An_input_that_does_not_fit_fails_its_job_and_says_which_field(string input, string message)
    {
        var ended = await MapAsync("Add", input);
        Assert.Equal(64, ended.Code);
        Assert.Contains(message, ended.Error);
    }

    [Fact]
    public async Task Whatever_happens_to_a_worker_costs_its_own_input()
    {
        var (ended, jobs, restarts) = await FailAsync(["--timeout", "1s", "--grace", "100ms"], "a", "crash", "bb", "throw", "ccc", "exit", "dddd", "spin", "eeeee");
        Assert.Equal([0, 134, 0, 70, 0, 7, 0, 124, 0], jobs.Select(job => job.GetProperty("exitCode").GetInt32()));
        Assert.Equal(["1\n", "2\n", "3\n", "4\n", "5\n"], jobs.Where((_, i) => i % 2 == 0).Select(job => job.GetProperty("output").GetString()));
        Assert.Equal(4, ended.Code);
        Assert.Contains("thrown on purpose", jobs[3].GetProperty("error").GetString());

        var leak = await FailAsync(["--memory", "100M"], "a", "leak", "bb");   // it may take its time
        Assert.Equal([0, 137, 0], leak.Jobs.Select(job => job.GetProperty("exitCode").GetInt32()));
        Assert.Equal(1, leak.Ended.Code);
        Assert.InRange(restarts + leak.Restarts, 2, 8);
    }

    async Task<(Ended Ended, List<JsonElement> Jobs, int Restarts)> FailAsync(string[] options, params string[] inputs)
    {
        var ended = await SkeinCommand.RunAsync("", ["map", file.Path, "--function", "Fail", "--keep-going", "--json", .. options, ":::", .. inputs], file.Home, seconds: 60);
        var lines = ended.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        return (ended, lines[..^1], lines[^1].GetProperty("summary").GetProperty("restarts").GetInt32());
    }

    [Fact]
    public async Task In_threads_it_gives_the_same()
    {
        var ended = await SkeinCommand.RunAsync("", ["map", "--place", "thread", file.Path, "--function", "Render", ":::", "a", "b"], file.Home);
        Assert.Equal((0, "<a>\n<b>\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task In_threads_what_a_function_prints_is_no_result_either()
    {
        string[] words = ["--place", "thread", file.Path, "--function", "Say", ":::", "a"];
        var ended = await SkeinCommand.RunAsync("", ["map", .. words], file.Home);
        Assert.Equal((0, "a\n", "said a\n"), (ended.Code, ended.Output, ended.Error));
        var json = await SkeinCommand.RunAsync("", ["map", "--json", .. words], file.Home);
        Assert.Equal((2, "said a\n"), (json.Lines.Length, json.Error));
        Assert.Equal("a\n", JsonDocument.Parse(json.Lines[0]).RootElement.GetProperty("output").GetString());
    }

    [Fact]
    public async Task In_threads_Ctrl_C_twice_does_not_wait_for_what_goes_on()
    {
        using var folder = new ScratchFolder();
        using var started = SkeinCommand.Start(["map", "--place", "thread", "--grace", "10m", file.Path, "--function", "Ignore", ":::", folder["begun"]], file.Home);
        await Limits.Until(() => File.Exists(folder["begun"]), "the function's start", 20);
        await started.SignalAsync("INT");
        await Limits.Until(() => started.Error.Contains("once more ends it", StringComparison.Ordinal), "the first stop");
        await started.SignalAsync("INT");
        Assert.Equal(130, (await started.EndAsync()).Code);
    }

    [Fact]
    public async Task What_workers_print_costs_no_input_though_nobody_reads_standard_error_any_more()
    {
        using var started = SkeinCommand.StartUnread(2, ["map", file.Path, "--function", "Say", ":::", "a"], file.Home);
        var ended = await started.EndAsync();
        Assert.Equal((0, "a\n"), (ended.Code, ended.Output));
    }

    [Fact]
    public async Task The_job_log_names_the_call_and_a_dry_run_prints_it()
    {
        using var folder = new ScratchFolder();
        string[] words = ["map", file.Path, "--function", "Render", "--joblog", folder["log"], "--resume", ":::", "a b", "c"];
        Assert.Equal("<a b>\n<c>\n", (await SkeinCommand.RunAsync("", words, file.Home)).Output);
        Assert.Equal(["Render 'a b'", "Render c"], File.ReadAllLines(folder["log"]).Skip(1).Select(line => line.Split('\t')[8]).Order(StringComparer.Ordinal));
        Assert.Equal("", (await SkeinCommand.RunAsync("", words, file.Home)).Output);
        Assert.Equal("Render 'x y'\n", (await SkeinCommand.RunAsync("", ["map", file.Path, "--function", "Render", "--dry-run", ":::", "x y"], file.Home)).Output);
    }

    Task<Ended> MapAsync(string function, params string[] inputs) =>
        SkeinCommand.RunAsync("", ["map", file.Path, "--function", function, ":::", .. inputs], file.Home);

    async Task<(int, string)> CodeAndOutputAsync(string function, string input)
    {
        var ended = await MapAsync(function, input);
        return (ended.Code, ended.Output);
    }

    /// <summary>The file, built once for all tests.</summary>
    public sealed class BuiltFile : IAsyncLifetime
    {
        readonly ScratchFolder _folder = new();

        public string Path => _folder["functions.cs"];

        public Dictionary<string, string> Home => new() { ["SKEIN_HOME"] = _folder["home"] };

        public async ValueTask InitializeAsync()
        {
            _folder.Write("functions.cs", Source);
            var built = await SkeinCommand.RunAsync("", ["map", Path, "--function", "Render", ":::", "a"], Home, seconds: 60);
            Assert.Equal(("<a>\n", "skein: building functions.cs …\n"), (built.Output, built.Error));
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return default;
        }
    }
}
