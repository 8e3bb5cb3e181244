using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>What can be seen and done from outside while a super-server runs: <c>skein ps</c>, <c>inspect</c>, <c>logs</c>, <c>reload</c>, <c>kill</c>.</summary>
[SupportedOSPlatform("linux")]
public sealed class SuperServerControlTests : IDisposable
{
    const string LongName = "a-service-with-quite-a-long-name";

    readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_super_server_and_its_services_are_listed_and_inspected()
    {
        Write($"  cat: {{ listen: 'unix:{_folder["cat"]}', program: cat }}", $"  v1.none: {{ listen: 'unix:{_folder["none"]}', program: /no/such }}", $"  {LongName}: {{ listen: 'unix:{_folder["long"]}', program: cat }}");
        using var server = await ServedFile.StartAsync(["serve", "--config", File, "--id", "machine"]);
        using var client = Client.Connect(new UnixDomainSocketEndPoint(_folder["cat"]));
        await client.SayAsync("x\n");
        Assert.Equal("x", await client.LineAsync());
        var (tries, known, services) = (0, default(JsonElement), new Dictionary<string, JsonElement>());
        await Limits.Until(async () =>
        {
            // It is disabled for a second, after the next failure for two, and so on.
            tries++;
            using (var refused = Client.Connect(new UnixDomainSocketEndPoint(_folder["none"])))
                Assert.NotEqual(Ending.None, await refused.EndingAsync());
            known = Json(await server.AskAsync("ps", "--json")).Single();
            services = known.GetProperty("workers").EnumerateArray().ToDictionary(service => Text(service, "id"));
            return Text(services["machine.v1.none"], "state") == "disabled";
        }, () => $"the service to be listed as disabled: {known}", 20);

        Assert.Equal(("machine", "super", "serving", server.Id), (Text(known, "id"), Text(known, "kind"), Text(known, "state"), known.GetProperty("pid").GetInt32()));
        var (cat, none) = (services["machine.cat"], services["machine.v1.none"]);
        Assert.Equal(("service", "listening", 1, 1, $"unix:{_folder["cat"]}"), (Text(cat, "kind"), Text(cat, "state"), cat.GetProperty("requests").GetInt32(), cat.GetProperty("active").GetInt32(), Text(cat, "address")));
        Assert.Equal(0, none.GetProperty("pid").GetInt32());
        Assert.InRange(none.GetProperty("failed").GetInt32(), 1, tries);
        Assert.Contains("/no/such", Text(none, "lastFailure"), StringComparison.Ordinal);

        var (listed, top) = ((await server.AskAsync("ps")).Lines, (await server.AskAsync("top", "--rounds", "1")).Lines);
        Assert.Contains(listed, line => line.Contains("machine.cat", StringComparison.Ordinal) && line.EndsWith($"unix:{_folder["cat"]}", StringComparison.Ordinal));
        Assert.Contains(top, line => line.Contains("machine.cat", StringComparison.Ordinal));
        foreach (var table in new[] { listed, top })   // columns, however long a name is
            Assert.Single(table.Select(line => Regex.Match(line, " (STATE|serving|listening|disabled) ")).Where(found => found.Success).Select(found => found.Index).Distinct());
        var inspected = (await server.AskAsync("inspect", "machine.cat")).Output;
        Assert.Contains("VmRSS", inspected, StringComparison.Ordinal);
        Assert.Matches(@"command +\S*cat\n", inspected);
        Assert.Contains("lastFailure", (await server.AskAsync("inspect", "machine.v1.none")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_log_is_found_by_service_and_level_and_followed()
    {
        Write($"  one: {{ listen: 'unix:{_folder["one"]}', program: /no/such }}", $"  two: {{ listen: 'unix:{_folder["two"]}', program: cat }}");
        using var server = await ServedFile.StartAsync(["serve", "--config", File]);
        using var following = SkeinCommand.Start(["logs", "services", "-f", "--level", "error"], server.Environment);
        using (var client = Client.Connect(new UnixDomainSocketEndPoint(_folder["one"])))
            Assert.NotEqual(Ending.None, await client.EndingAsync());

        await Limits.Until(() => following.Output.Contains("services.one | Service one is disabled", StringComparison.Ordinal), () => $"{following.Output}{following.Error}");
        Assert.DoesNotContain("listens on", following.Output, StringComparison.Ordinal);
        Assert.Contains("Service two listens on", (await server.AskAsync("logs", "services.two")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Service one", (await server.AskAsync("logs", "services.two")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_waits_until_it_is_done_and_says_where_the_file_is_wrong()
    {
        Write($"  one: {{ listen: 'unix:{_folder["one"]}', program: [sh, -c, echo one] }}");
        using var server = await ServedFile.StartAsync(["serve", "--config", File]);
        System.IO.File.AppendAllText(File, $"  two: {{ listen: 'unix:{_folder["two"]}', program: [sh, -c, echo two] }}\n");
        var done = await server.AskAsync("reload");
        Assert.True(done.Code == 0 && done.Error.Contains("reloaded; 2 services are served.", StringComparison.Ordinal), $"{done}");
        Assert.Equal("two\n", await Client.Connect(new UnixDomainSocketEndPoint(_folder["two"])).AskAsync(""));

        System.IO.File.AppendAllText(File, "  three: {}\n");
        var refused = await server.AskAsync("reload", "services");
        Assert.Equal(69, refused.Code);
        Assert.Contains($"{File}:4: services.three", refused.Error, StringComparison.Ordinal);
        Assert.Contains("nothing is changed", refused.Error, StringComparison.Ordinal);
        Assert.Equal("two\n", await Client.Connect(new UnixDomainSocketEndPoint(_folder["two"])).AskAsync(""));
        Assert.Equal(69, (await server.AskAsync("scale", "services", "2")).Code);
    }

    [Fact]
    public async Task A_kill_waits_for_what_runs_and_now_does_not()
    {
        Write($"  cat: {{ listen: 'unix:{_folder["cat"]}', program: cat }}");
        using (var server = await ServedFile.StartAsync(["serve", "--config", File]))
        {
            using var client = Client.Connect(new UnixDomainSocketEndPoint(_folder["cat"]));
            await client.SayAsync("x\n");
            Assert.Equal("x", await client.LineAsync());
            var killing = server.AskAsync("kill", "services");
            await server.UntilAsync("Service cat is closed");
            Assert.NotSame(killing, await Task.WhenAny(killing, Task.Delay(TimeSpan.FromMilliseconds(700))));   // it has nothing to wait for but our client
            Assert.Equal("y\n", await client.AskAsync("y\n"));
            Assert.Equal(0, (await killing.Within()).Code);
            Assert.Equal(0, await server.EndAsync());
        }

        Write($"  deaf: {{ listen: 'unix:{_folder["cat"]}', program: [sh, -c, \"trap '' TERM; cat\"], limits: {{ grace: 1h }} }}");
        using (var server = await ServedFile.StartAsync(["serve", "--config", File]))
        {
            using var client = Client.Connect(new UnixDomainSocketEndPoint(_folder["cat"]));
            await client.SayAsync("x\n");
            Assert.Equal("x", await client.LineAsync());
            Assert.Equal(0, (await server.AskAsync("kill", "services", "--now")).Code);
            Assert.Equal(0, await server.EndAsync());
            Assert.NotEqual(Ending.None, await client.EndingAsync());
        }
    }

    [Fact]
    public async Task A_second_one_of_the_same_name_is_refused_and_the_first_serves_on()
    {
        Write($"  one: {{ listen: 'unix:{_folder["one"]}', program: [sh, -c, echo one] }}");
        using var server = await ServedFile.StartAsync(["serve", "--config", File]);
        var second = await server.AskAsync("serve", "--config", File);
        Assert.Equal(69, second.Code);
        Assert.Contains("A server with this name runs already", second.Error, StringComparison.Ordinal);
        Assert.Equal("one\n", await Client.Connect(new UnixDomainSocketEndPoint(_folder["one"])).AskAsync(""));
        Assert.Equal(64, (await server.AskAsync("serve", "--config", File, "--id", "../x")).Code);
        var worker = await server.AskAsync("serve", "--config", File, "--id", "shop.30");
        Assert.Equal(64, worker.Code);
        Assert.Contains("does not end in a dot and digits, as a worker's does (shop has shop.1); 'shop.30' is none", worker.Error, StringComparison.Ordinal);
    }

    string File => _folder["services.yaml"];

    void Write(params string[] services) => System.IO.File.WriteAllText(File, $"services:\n{string.Join('\n', services)}\n");

    static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    static JsonElement[] Json(Ended ended) => [.. ended.Lines.SelectMany(line =>
    {
        using var json = JsonDocument.Parse(line);
        var all = json.RootElement.Clone();
        return all.ValueKind == JsonValueKind.Array ? all.EnumerateArray().ToArray() : [all];
    })];
}
