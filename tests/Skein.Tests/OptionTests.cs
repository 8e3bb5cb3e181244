namespace Skein.Tests;

/// <summary>Options that make no sense are refused by name, before anything starts; those that mean the same are the same.</summary>
public sealed class OptionTests
{
    [Fact]
    public async Task Options_of_a_process_that_make_no_sense_are_refused_by_name()
    {
        async Task Refused(ProcessOptions options, string name)
        {
            Assert.Equal(name, (await Assert.ThrowsAnyAsync<ArgumentException>(() => Place.OsProcess.StartAsync(static () => 1, options).Within())).ParamName);
            Assert.Equal(name, (await Assert.ThrowsAnyAsync<ArgumentException>(() => Place.OsProcess.StartProgramAsync(new("true") { Options = options }).Within())).ParamName);
        }

        await Refused(new() { Niceness = 20 }, "Niceness");
        await Refused(new() { Niceness = -21 }, "Niceness");
        await Refused(new() { TimeLimit = TimeSpan.Zero }, "TimeLimit");
        await Refused(new() { TimeLimit = TimeSpan.FromSeconds(-3) }, "TimeLimit");
        await Refused(new() { TimeLimit = TimeSpan.MaxValue }, "TimeLimit");
        await Refused(new() { Grace = TimeSpan.FromSeconds(-3) }, "Grace");
        await Refused(new() { Grace = TimeSpan.MaxValue }, "Grace");
        await Refused(new() { MemoryLimit = 0 }, "MemoryLimit");
        await Refused(new() { Processors = [] }, "Processors");
        await Refused(new() { Processors = [0, -1] }, "Processors");
        await Refused(new() { Processors = [100_000] }, "Processors");
        await Refused(new() { WorkingDirectory = "" }, "WorkingDirectory");
        await Refused(new() { Environment = null! }, "Environment");
        await Refused(new() { Environment = new Dictionary<string, string> { [""] = "a" } }, "Environment");
        await Refused(new() { Environment = new Dictionary<string, string> { ["A=B"] = "a" } }, "Environment");
        await Refused(new() { Environment = new Dictionary<string, string> { ["A\0"] = "a" } }, "Environment");
        await Refused(new() { Environment = new Dictionary<string, string> { ["A"] = "a\0" } }, "Environment");
        await Refused(new() { Environment = new Dictionary<string, string> { ["A"] = null! } }, "Environment");
    }

    [Fact]
    public async Task A_working_folder_that_is_not_there_is_named()
    {
        var options = new ProcessOptions { WorkingDirectory = "/no/such/folder" };
        Assert.Contains("'/no/such/folder'", (await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Place.OsProcess.StartAsync(static () => 1, options).Within())).Message);
        Assert.Contains("'/no/such/folder'", (await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Place.OsProcess.StartProgramAsync(new("true") { Options = options }).Within())).Message);
        Assert.Contains("'/no/such/folder'", (await Assert.ThrowsAsync<DirectoryNotFoundException>(() => WorkerPool.StartAsync(Place.OsProcess, new() { WorkingDirectory = "/no/such/folder" }).Within())).Message);
    }

    [Fact]
    public async Task An_infinite_limit_is_none()
    {
        var forever = Timeout.InfiniteTimeSpan;
        await using var process = await Place.OsProcess.StartAsync(static () => 1, new() { TimeLimit = forever, Grace = forever }).Within();
        Assert.Equal(1, await process.Completion.Within());
        await using var program = await Place.OsProcess.StartProgramAsync(new("sh", "-c", "sleep 0.1; exit 3") { Options = new() { TimeLimit = forever, Grace = forever } }).Within();
        Assert.Equal(3, await program.Completion.Within());
        await using var pool = await WorkerPool.StartAsync(Place.OsProcess, new() { Workers = 1, TaskTimeout = forever, Grace = forever, IdleTimeout = forever }).Within();
        await pool.RunAsync(static () => Conformance.Functions.Spin(0.3)).Within();
        Assert.Null(pool.Options.TaskTimeout);
        await pool.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task A_thread_has_no_output_of_its_own() =>
        await Assert.ThrowsAsync<NotSupportedException>(() => Place.Thread.StartAsync(static () => 1, new() { OnOutput = static _ => { } }).Within());

    [Fact]
    public async Task A_missing_function_is_named()
    {
        await using var pool = await WorkerPool.StartAsync(Place.Thread, new() { Workers = 1 }).Within();
        void Refused(string name, Action call) => Assert.Equal(name, Assert.Throws<ArgumentNullException>(call).ParamName);
        Refused("function", () => pool.RunAsync((Func<int>)null!));
        Refused("function", () => pool.RunAsync((Func<int, Task>)null!, 1));
        Refused("function", () => pool.MapAsync([1], (Func<int, int>)null!));
        Refused("function", () => pool.MapUnorderedAsync([1], (Func<int, Task<int>>)null!));
        Refused("inputs", () => pool.MapAsync((IEnumerable<int>)null!, static n => n));
        Refused("function", () => pool.ForEachAsync([1], (Action<int>)null!));
        Refused("function", () => Place.OsProcess.StartAsync((Func<int>)null!));
        Refused("function", () => Place.Thread.StartAsync((Action<int>)null!, 1));
        Refused("function", () => Callback.To((Func<int, int>)null!));
        Refused("program", () => _ = new ProgramStart(null!));
        Refused("arguments", () => _ = new ProgramStart("true", [null!]));
    }

    [Fact]
    public async Task Output_that_is_asked_for_twice_is_refused()
    {
        Assert.Equal("OnOutput", (await Assert.ThrowsAsync<ArgumentException>(() => Place.OsProcess.StartProgramAsync(
            new("true") { StandardOutput = ProgramOutput.Discard, Options = new() { OnOutput = static _ => { } } }).Within())).ParamName);
        Assert.Equal("InheritInput", (await Assert.ThrowsAsync<ArgumentException>(() => Place.OsProcess.StartProgramAsync(
            new("true") { StandardInput = Stream.Null, InheritInput = true }).Within())).ParamName);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_startup_hook_of_the_users_own_runs_in_the_process_and_ours_is_not_seen(bool portable)
    {
        var hook = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child.dll");
        var place = portable ? new PortableProcessPlace() : Place.OsProcess;
        await using var process = await place.StartAsync(
            static () => $"{Environment.GetEnvironmentVariable("DOTNET_STARTUP_HOOKS")} {AppContext.TryGetSwitch("Skein.Tests.Hooked", out _)}",
            new() { Environment = new Dictionary<string, string> { ["DOTNET_STARTUP_HOOKS"] = hook } }).Within();
        Assert.Equal($"{hook} True", await process.Completion.Within());
    }
}
