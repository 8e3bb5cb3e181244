using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Skein.Tests.Cli;
using Skein.Tests.Structure;

namespace Skein.Tests.Samples;

/// <summary>The four calculators of the sample, asked by clients that share no code with them.</summary>
public sealed partial class CalculatorServerTests(CalculatorServers servers) : IClassFixture<CalculatorServers>
{
    [Fact]
    public async Task A_client_in_another_language_finds_the_protocol_kept_in_good_and_bad_cases()
    {
        Assert.SkipUnless(Limits.Long, "a program in another language takes its time: ./check --long");
        Assert.SkipUnless(SkeinCommandExists("python3"), "needs python3");
        var ports = CalculatorServers.Names.Select(name => $"{servers.Ports[name]}");
        using var client = SkeinCommand.StartProgram("python3", [Repository.At("tests/Skein.Tests/Samples/calculators.py"), .. ports], null);
        var ended = await client.EndAsync(60);
        Assert.True(ended.Code == 0, ended.Output + ended.Error);
    }

    [Fact]
    public async Task The_thread_that_has_been_idle_longest_serves_next()
    {
        var workers = new List<int>();
        for (var i = 0; i < 40; i++)
            workers.Add((await servers.AskAsync("dispatcher", """{"operation": "add", "a": 1, "b": 2}""")).GetProperty("worker").GetInt32());
        var threads = workers.Max();
        Assert.Equal(Enumerable.Range(1, threads), workers.Distinct().Order());
        // The clients of other tests take their turns in between; a thread that has just served is not the next, once all have started.
        var all = Enumerable.Range(1, threads).Max(thread => workers.IndexOf(thread));
        Assert.InRange(all, 0, 20);
        Assert.DoesNotContain(workers.Zip(workers.Skip(1)).Skip(all), pair => pair.First == pair.Second);
    }

    [Fact]
    public async Task Input_that_comes_in_pieces_is_answered_without_its_end()
    {
        foreach (var name in CalculatorServers.Names[..3])
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, servers.Ports[name]);
            client.NoDelay = true;
            foreach (var c in """{"operation": "calculate", "op": "add", "a": 0.1, "b": 0.2}"""u8.ToArray())
                await client.GetStream().WriteAsync(new[] { c });
            var answer = JsonDocument.Parse(await new StreamReader(client.GetStream()).ReadToEndAsync().Within()).RootElement;
            if (name == "stateful")
                Assert.Equal(0.1 + 0.2, answer.GetProperty("result").GetDouble());
            else
                Assert.Equal(JsonValueKind.Null, answer.GetProperty("result").ValueKind);   // calculate is no operation of theirs
        }
    }

    [Fact]
    public async Task Clients_that_stop_in_the_middle_hold_up_no_other()
    {
        var wasFirst = false;
        for (var tries = 0; tries < 5 && !wasFirst; tries++)   // they are answered after 5 s, which a busy machine may need for the other
        {
            var stalled = new List<TcpClient>();
            for (var i = 0; i < 16; i++)
            {
                stalled.Add(new());
                await stalled[i].ConnectAsync(IPAddress.Loopback, servers.Ports["dispatcher"]);
                await stalled[i].GetStream().WriteAsync("{\"operation\": "u8.ToArray());
            }

            Assert.Equal(3, (await servers.AskAsync("dispatcher", """{"operation": "add", "a": 1, "b": 2}""")).GetProperty("result").GetDouble());
            wasFirst = stalled.All(client => !client.Client.Poll(0, SelectMode.SelectRead));
            stalled.ForEach(client => client.Dispose());
        }

        Assert.True(wasFirst, "it is answered only when those that have stopped are told that they are late");
    }

    [Fact]
    public async Task What_runs_is_served_to_its_end_when_the_servers_are_asked_to_end()
    {
        using var own = await Sample.StartAsync("calculators", 4, CalculatorServers.AnyPorts);
        var ports = CalculatorServers.PortsOf(own);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, ports["stateless"]);
        await tcp.GetStream().WriteAsync("""{"operation": "subtract", """u8.ToArray());
        using var http = new TcpClient();
        await http.ConnectAsync(IPAddress.Loopback, ports["http"]);
        await http.GetStream().WriteAsync("POST /calculate HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n"u8.ToArray());
        var first = new byte[25];
        await http.GetStream().ReadExactlyAsync(first).AsTask().Within();   // "100 Continue": the request runs

        await own.SignalAsync("TERM");
        await Limits.Until(() => IsRefused(ports["http"]) && IsRefused(ports["stateless"]), "nothing to be accepted");
        Assert.False(own.Process.HasExited);
        await tcp.GetStream().WriteAsync("\"a\": 10, \"b\": 4}"u8.ToArray());
        await http.GetStream().WriteAsync(Encoding.ASCII.GetBytes("{\"operation\":\"multiply\",\"a\":6,\"b\":7}".PadRight(40)));

        Assert.Contains("\"result\":6,", await new StreamReader(tcp.GetStream()).ReadToEndAsync().Within(), StringComparison.Ordinal);
        var answer = await new StreamReader(http.GetStream()).ReadToEndAsync().Within();
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("{\"result\":42}", answer, StringComparison.Ordinal);
        var ended = await own.EndAsync();
        Assert.Equal((0, ""), (ended.Code, ended.Error));
        Assert.Contains("""{"method":"POST","path":"/calculate","status":200,""", ended.Output, StringComparison.Ordinal);   // its log
    }

    [Fact]
    public async Task An_option_beats_the_environment_and_what_makes_no_sense_is_named()
    {
        var environment = new Dictionary<string, string> { ["SERVER_PORT"] = $"{servers.Ports["http"]}", ["SERVER_HOST"] = "localhost", ["WORKER_COUNT"] = "3" };
        using (var own = await Sample.StartAsync("calculators", 4, CalculatorServers.AnyPorts, environment))
        {
            var ports = CalculatorServers.PortsOf(own);
            using var client = new HttpClient { Timeout = Limits.Seconds(10) };
            using var info = await client.GetAsync(new Uri($"http://127.0.0.1:{ports["http"]}/info"));
            Assert.True(info.IsSuccessStatusCode, $"{info}\n{own.Output}{own.Error}");
            Assert.Contains("\"workers\":3", await info.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        var withoutHttp = CalculatorServers.AnyPorts[..^2];
        await FailsAsync(69, "address already in use", withoutHttp, environment);
        await FailsAsync(64, "SERVER_PORT is a number from 0 to 65535, not 'x'", withoutHttp, new() { ["SERVER_PORT"] = "x" });
        await FailsAsync(64, "WORKER_COUNT is a number from 1 to 1000, not '0'", withoutHttp, new() { ["WORKER_COUNT"] = "0" });
        await FailsAsync(64, "--http is a number from 0 to 65535, not '70000'", ["--http", "70000"], []);
        await FailsAsync(64, "'--https' is not an option", ["--https", "1"], []);
        await FailsAsync(69, "Another program listens there", [.. withoutHttp, "--stateless", $"{servers.Ports["stateless"]}"], []);
    }

    [Fact]
    public async Task The_command_runs_the_file_and_ends_it_gracefully()
    {
        Assert.SkipUnless(Limits.Long, "a build takes its time: ./check --long");
        using var home = new ScratchFolder();
        using var command = SkeinCommand.Start(
            ["run", Repository.At("samples/calculators.cs"), "--", .. CalculatorServers.AnyPorts], new Dictionary<string, string> { ["SKEIN_HOME"] = home["home"] });
        await Limits.Until(() => command.Output.Count(c => c == '\n') == 4 || command.Process.HasExited, () => command.Output + command.Error, 60);
        Assert.Equal(CalculatorServers.Names, CalculatorServers.PortsOf(command).Keys);
        await command.SignalAsync("TERM");
        Assert.Equal(0, (await command.EndAsync()).Code);
    }

    static async Task FailsAsync(int code, string said, string[] arguments, Dictionary<string, string> environment)
    {
        using var started = await Sample.StartAsync("calculators", 5, arguments, environment);
        var ended = await started.EndAsync();
        Assert.Contains(said, ended.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(code, ended.Code);
    }

    static bool IsRefused(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    static bool SkeinCommandExists(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>The sample, started once for all that only ask.</summary>
public sealed partial class CalculatorServers : IAsyncLifetime
{
    public static string[] Names { get; } = ["stateless", "stateful", "dispatcher", "http"];

    public static string[] AnyPorts { get; } = [.. Names.SelectMany(name => new[] { $"--{name}", "0" })];

    Started? _sample;

    public IReadOnlyDictionary<string, int> Ports => PortsOf(_sample!);

    public async ValueTask InitializeAsync() => _sample = await Sample.StartAsync("calculators", 4, AnyPorts);

    public async Task<JsonElement> AskAsync(string name, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Ports[name]);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request));
        return (await JsonDocument.ParseAsync(client.GetStream()).Within()).RootElement;
    }

    internal static IReadOnlyDictionary<string, int> PortsOf(Started sample) => new OrderedDictionary<string, int>(
        Address().Matches(sample.Output).Select(line => KeyValuePair.Create(line.Groups[1].Value, int.Parse(line.Groups[2].Value, null))));

    public ValueTask DisposeAsync()
    {
        _sample?.Dispose();
        return default;
    }

    [GeneratedRegex(@"^(\w+) 127\.0\.0\.1:(\d+)$", RegexOptions.Multiline)] private static partial Regex Address();
}
