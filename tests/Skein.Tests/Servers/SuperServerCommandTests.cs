using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>The command <c>skein serve --config</c> and <c>--inetd</c>: the real program.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerCommandTests
{
    [Fact]
    public async Task Check_says_where_an_inetd_file_is_wrong_and_a_start_with_a_bad_line_is_refused()
    {
        using var folder = new Folder();
        var (good, bad, port) = (folder["good.conf"], folder["bad.conf"], ServedApp.FreePort());
        File.WriteAllText(good, $"127.0.0.1:{port} stream tcp nowait root /bin/cat x\n");
        File.WriteAllText(bad, $"# two lines are bad\n127.0.0.1:{port} stream tcp nowait root /bin/cat cat\n127.0.0.1:{port + 1} stream tcp never root /bin/cat\nsmtp raw tcp nowait root /bin/cat\n");
        var checkedGood = await SkeinCommand.RunAsync("serve", "--inetd", good, "--check");
        Assert.Equal((0, "", ""), (checkedGood.Code, checkedGood.Output, checkedGood.Error));

        File.WriteAllText(good, $"*:{port} stream tcp nowait root /no/such/program x\n");   // it may be installed later; two addresses, said once
        var missing = await SkeinCommand.RunAsync("serve", "--inetd", good, "--check");
        Assert.Equal((0, $"{good}:1: warning: There is no program '/no/such/program'.\n"), (missing.Code, missing.Output));

        string[] expected = [$"{bad}:3: 'never': wait or nowait is expected, or one of them with how often a minute, as nowait.60.", $"{bad}:4: 'raw' is no socket type: stream or dgram is expected."];
        var checkedBad = await SkeinCommand.RunAsync("serve", "--inetd", bad, "--check");
        Assert.Equal((78, string.Join('\n', expected) + "\n"), (checkedBad.Code, checkedBad.Output));

        var refused = await SkeinCommand.RunAsync("serve", "--inetd", bad);
        Assert.Equal(78, refused.Code);
        Assert.Contains(expected[0], refused.Error);
        Assert.Throws<SocketException>(() => Client.Connect(new IPEndPoint(IPAddress.Loopback, port)));
    }

    [Fact]
    public async Task Check_says_where_a_YAML_file_is_wrong_and_what_was_expected()
    {
        using var folder = new Folder();
        var file = folder["services.yaml"];
        string[] lines =
        [
            "services:",
            "  good:",
            "    listen: [tcp://127.0.0.1:4711, 'unix:/tmp/x']",
            "    program: cat -n",
            "    limits: { rate: 50/1s 10s, memory: 64M, time: 5m }",
            "  bad:",
            "    listen: tcp://127.0.0.1",
            "    program: cat",
            "    limits:",
            "      memory: lots",
            "      instanses: 3",
            "  none: { listen: udp://127.0.0.1:7 }",
            "  user: { listen: tcp://127.0.0.1:4712, program: cat, user: nosuchuser, after: [nobody] }",
            "  handler: { listen: tcp://127.0.0.1:4713, handler: Some.Function }",
            "  missing: { listen: [tcp://127.0.0.1:4714, tcp://127.0.0.1:4715], program: /no/such -x }",
            "  at-once: { listen: tcp://127.0.0.1:4716, program: /etc, wait: true, start: at-once }",
        ];
        File.WriteAllLines(file, lines);
        var said = await SkeinCommand.RunAsync("serve", "--config", file, "--check");
        Assert.Equal(78, said.Code);
        Assert.Equal(
        [
            $"{file}:7: services.bad.listen: 'tcp://127.0.0.1' is not an address such as tcp://127.0.0.1:8001, tcp://*:8001, udp://[::1]:7, unix:/run/name or unix-dgram:/run/name.",
            $"{file}:10: services.bad.limits.memory: 'lots' is not a size such as 64M, 1.5G or 4096 (bytes).",
            $"{file}:11: services.bad.limits.instanses is not known: one of instances, instances-per-source, rate-per-source, rate, idle, time, grace, memory, cpu, cpu-time, processes, failures is expected.",
            $"{file}:12: services.none: one of program, handler and builtin is expected.",
            $"{file}:13: services.user: There is no user 'nosuchuser'.",
            $"{file}:13: services.user: It comes after 'nobody', but there is no such service.",
            $"{file}:14: services.handler: handler: 'Some.Function' is a function of an application; application: FILE.cs|APP.dll is expected beside services:.",
            $"{file}:15: warning: services.missing: There is no program '/no/such'.",
            $"{file}:16: services.at-once: '/etc' is a folder, not a program.",   // the start would be refused
        ], said.Output.TrimEnd('\n').Split('\n'));

        File.WriteAllLines(file, lines.Take(5));
        Assert.Equal(0, (await SkeinCommand.RunAsync("serve", "--config", file, "--check")).Code);
        File.WriteAllText(file, "services: [\n");
        Assert.StartsWith($"{file}:2: This is not YAML", (await SkeinCommand.RunAsync("serve", "--config", file, "--check")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_of_a_file_are_served_until_SIGTERM_and_SIGHUP_reads_it_again()
    {
        using var folder = new Folder();
        var file = folder["services.yaml"];
        File.WriteAllText(file, $"services:\n  one:\n    listen: unix:{folder["one"]}\n    mode: 0600\n    program: [sh, -c, 'read word; echo one $word']\n");
        using var command = await ServedFile.StartAsync(["serve", "--config", file]);
        Assert.Equal("one x\n", await Client.Connect(new UnixDomainSocketEndPoint(folder["one"])).AskAsync("x\n"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["one"]));
        using var waits = Client.Connect(new UnixDomainSocketEndPoint(folder["one"]));

        File.AppendAllText(file, $"  two:\n    listen: unix:{folder["two"]}\n    program: [sh, -c, 'echo two']\n");
        command.Signal("HUP");
        await command.UntilAsync("reloaded; 2 services are served");
        Assert.Equal("two\n", await Client.Connect(new UnixDomainSocketEndPoint(folder["two"])).AskAsync(""));

        File.AppendAllText(file, $"  absent: {{ listen: 'unix:{folder["absent"]}', program: /no/such }}\n");
        command.Signal("HUP");
        await command.UntilAsync($"{file}:9: warning: services.absent: There is no program '/no/such'.");
        await command.UntilAsync("reloaded; 3 services are served");
        Assert.NotEqual(Ending.None, await Client.Connect(new UnixDomainSocketEndPoint(folder["absent"])).EndingAsync());

        File.AppendAllText(file, "  three: {}\n");
        command.Signal("HUP");
        await command.UntilAsync("nothing is changed: the file has errors");
        Assert.Equal("two\n", await Client.Connect(new UnixDomainSocketEndPoint(folder["two"])).AskAsync(""));

        command.Signal("TERM");
        Assert.Equal("one y\n", await waits.AskAsync("y\n"));   // served to its end
        Assert.Equal(0, await command.EndAsync());
        Assert.False(File.Exists(folder["one"]));
    }

    [Fact]
    public async Task When_descriptors_run_out_nobody_is_let_in_until_some_are_free_and_no_processor_is_burnt()
    {
        using var folder = new Folder();
        var (file, port) = (folder["inetd.conf"], ServedApp.FreePort());
        File.WriteAllText(file, $"127.0.0.1:{port} stream tcp nowait.0 root /bin/cat cat\n");
        using var command = await ServedFile.StartAsync(["serve", "--inetd", file], "ulimit -n 160; ");
        var endpoint = new IPEndPoint(IPAddress.Loopback, port);
        var clients = Enumerable.Range(0, 200).Select(_ => Client.Connect(endpoint)).ToList();
        await command.UntilAsync("can serve nobody now");

        var (used, from) = (ProcessUse.ProcessorTime(command.Id)!.Value, TimeProvider.System.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(1));
        var share = (ProcessUse.ProcessorTime(command.Id)!.Value - used) / TimeProvider.System.GetElapsedTime(from);
        Assert.True(share < 0.3, $"{share:p0} of a processor while nobody can be let in");

        clients[..100].ForEach(client => client.Dispose());
        foreach (var client in clients[100..])
            Assert.Equal("served in its turn", await client.AskAsync("served in its turn"));   // nobody was refused
        clients.ForEach(client => client.Dispose());
        command.Signal("TERM");
        Assert.Equal(0, await command.EndAsync());
    }

    [Fact]
    public async Task A_port_of_the_system_without_the_right_to_it_is_refused_with_the_reason()
    {
        Assert.SkipUnless(UserAccount.IsRoot && File.Exists("/usr/bin/setpriv"), "rights are taken away by setpriv(1), as root");
        Assert.SkipUnless(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start").Trim() == "1024", "here all ports are for everybody");
        using var folder = new Folder();
        File.WriteAllText(folder["inetd.conf"], "127.0.0.1:3 stream tcp nowait root /bin/cat cat\n");
        var ended = await SkeinCommand.RunProgramAsync(
            "env", $"SKEIN_HOME={folder["home"]}", "setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "dotnet", SkeinCommand.Dll, "serve", "--inetd", folder["inetd.conf"]);
        Assert.Equal(69, ended.Code);
        Assert.Contains("Cannot listen on 127.0.0.1:3: Permission denied. This user may not: ports below 1024 need a privilege", ended.Error);
    }

    [Fact]
    public async Task A_function_of_a_CSharp_file_is_a_handler()
    {
        Assert.SkipUnless(Limits.Long, "a build takes its time: ./check --long");
        using var folder = new Folder();
        File.WriteAllText(folder["app.cs"], """
            #:sdk Microsoft.NET.Sdk.Web
            using System.Text;
            using Microsoft.AspNetCore.Connections;

            Console.WriteLine("Main does not run");

            static async Task Greet(ConnectionContext connection) =>
                await connection.Transport.Output.WriteAsync(Encoding.UTF8.GetBytes("good day from a handler"));
            """);
        File.WriteAllText(folder["services.yaml"], $"application: app.cs\nservices:\n  greet: {{ listen: 'unix:{folder["greet"]}', handler: Greet, workers: 1 }}\n");
        using var command = await ServedFile.StartAsync(["serve", "--config", folder["services.yaml"]]);
        Assert.Equal("good day from a handler", await Client.Connect(new UnixDomainSocketEndPoint(folder["greet"])).AskAsync(""));
        command.Signal("TERM");
        Assert.Equal(0, await command.EndAsync());
    }
}
