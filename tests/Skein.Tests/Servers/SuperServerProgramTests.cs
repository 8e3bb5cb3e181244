using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;

namespace Skein.Tests.Servers;

/// <summary>Programs of a super-server: what they are given, and when they end.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerProgramTests
{
    const string TakesTheSocket = """
        import os, socket, sys, threading
        fd = 3 if os.environ.get('LISTEN_PID') == str(os.getpid()) and os.environ['LISTEN_FDS'] == '1' else 0
        listener = socket.socket(fileno=fd)
        connection, _ = listener.accept()
        connection.sendall(b'%d %s' % (fd, os.environ.get('LISTEN_FDNAMES', '').encode()))
        connection.close()
        """;

    [Fact]
    public async Task A_connection_is_a_programs_standard_input_and_output_and_its_environment_names_the_client()
    {
        await using var server = await SuperServerCase.StartAsync(SuperServerCase.Script("script", "read line; echo \"$line $REMOTE_ADDR $REMOTE_PORT\""));
        using var client = await server.ConnectAsync();
        Assert.Equal($"hello 127.0.0.1 {client.Local.Port}\n", await client.AskAsync("hello\n"));
        await server.UntilAsync(status => status is { Instances: 0, Started: 1, Failed: 0 }, "the program to end");
    }

    [Fact]
    public async Task A_program_finds_no_descriptors_but_its_own_and_no_variables_but_those_it_is_to_have()
    {
        var service = Service.Program("script", SuperServerCase.Free, "/bin/sh", "-c", "ls -m /proc/self/fd; env | cut -d= -f1 | sort | tr '\\n' ' '");
        await using var server = await SuperServerCase.StartAsync(service with { Environment = new Dictionary<string, string> { ["EXTRA"] = "1" } });
        var answer = await server.AskAsync("");
        Assert.StartsWith("0, 1, 2, 3\n", answer, StringComparison.Ordinal);   // the last is the folder that ls reads
        var names = answer.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).Except(["LANG", "LC_ALL", "TZ", "HOME", "USER", "_", "PWD", "OLDPWD", "SHLVL"]);
        Assert.Equal(["EXTRA", "PATH", "REMOTE_ADDR", "REMOTE_PORT", "SKEIN_PROCESS"], names);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_program_that_waits_gets_the_socket_that_listens_as_LISTEN_FDS_and_is_started_again_when_it_has_ended(string kind)
    {
        using var folder = new Folder();
        var endpoint = kind == "tcp" ? SuperServerCase.Free : ServiceEndpoint.Unix(folder["waits"]);
        await using var server = await SuperServerCase.StartAsync(Service.Program("takes", endpoint, "python3", "-c", TakesTheSocket) with { Waits = true });
        for (var i = 1; i <= 2; i++)
        {
            Assert.Equal("3 takes", await server.AskAsync(""));
            await server.UntilAsync(status => status.Started == i && status.State == ServiceState.Listening, "the program to end");
        }
    }

    [Fact]
    public async Task A_program_for_datagrams_gets_the_socket_as_its_standard_input()
    {
        const string Answers = """
            import socket
            s = socket.socket(fileno=0)
            s.settimeout(0.05)
            try:
                while True:
                    data, who = s.recvfrom(1000)
                    s.sendto(data.upper(), who)
            except TimeoutError:
                pass
            """;
        await using var server = await SuperServerCase.StartAsync(
            Service.Program("waits", ServiceEndpoint.Udp(IPAddress.Loopback, 0), "python3", "-c", Answers) with { Waits = true },
            Service.Program("nowait", ServiceEndpoint.Udp(IPAddress.Loopback, 0), "python3", "-c", Answers));
        foreach (var name in new[] { "waits", "nowait", "waits", "nowait" })
        {
            using var client = new UdpClient();
            client.Connect((IPEndPoint)(await server.StatusAsync(name)).EndPoint);
            await client.SendAsync("hello"u8.ToArray()).Within();
            Assert.Equal("HELLO", Encoding.ASCII.GetString((await client.ReceiveAsync().Within()).Buffer));
        }
    }

    [Fact]
    public async Task A_program_runs_as_its_user_with_that_users_groups_and_dies_with_the_server()
    {
        Assert.SkipUnless(UserAccount.IsRoot, "only root can start programs as another user");
        await using var server = await SuperServerCase.StartAsync(
            SuperServerCase.Script("who", "id -un; id -gn; id -Gn; echo $HOME; umask") with { User = "nobody", Group = "daemon" },
            SuperServerCase.Script("stays", "echo here; exec sleep 1000") with { User = "nobody" });
        var lines = (await server.AskAsync("", "who")).Split('\n');
        Assert.Equal(["nobody", "daemon"], lines[..2]);
        Assert.DoesNotContain("root", lines[2]);

        using var client = await server.ConnectAsync("stays");
        Assert.Equal("here", await client.LineAsync());
        var id = (await server.StatusAsync("stays")).ProcessIds.Single();
        await server.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{id}"));
    }

    [Fact]
    public async Task Git_daemon_is_served_unmodified()
    {
        using var temporary = new Folder();
        var folder = temporary.Path;
        Run("git", "init", "-q", "--bare", $"{folder}/one.git");
        await using var server = await SuperServerCase.StartAsync(
            Service.Program("git", SuperServerCase.Free, "git", "daemon", "--inetd", "--export-all", $"--base-path={folder}") with
            {
                Environment = new Dictionary<string, string> { ["GIT_CONFIG_COUNT"] = "1", ["GIT_CONFIG_KEY_0"] = "safe.directory", ["GIT_CONFIG_VALUE_0"] = "*" },
            });
        Run("git", "-C", folder, "init", "-q", "-b", "main", "work");
        Run("git", "-C", $"{folder}/work", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "over the wire");
        Run("git", "-C", $"{folder}/work", "push", "-q", $"{folder}/one.git", "main");
        var port = ((IPEndPoint)(await server.StatusAsync()).EndPoint).Port;
        Run("git", "clone", "-q", "-b", "main", $"git://127.0.0.1:{port}/one.git", $"{folder}/copy");
        Assert.Equal("over the wire\n", Run("git", "-C", $"{folder}/copy", "log", "--format=%s"));
    }

    [Fact]
    public async Task Sshd_is_served_unmodified()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/sshd"), "there is no sshd on this machine");
        Assert.SkipUnless(UserAccount.IsRoot, "sshd lets in only whom root lets it");
        using var temporary = new Folder();
        var folder = temporary.Path;
        Directory.CreateDirectory("/run/sshd");
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", $"{folder}/host");
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", $"{folder}/user");
        File.WriteAllText($"{folder}/config", $"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\nPidFile none\nPermitRootLogin yes\nUsePAM no\n");
        await using var server = await SuperServerCase.StartAsync(Service.Program("ssh", SuperServerCase.Free, "/usr/sbin/sshd", "-i", "-e", "-f", $"{folder}/config"));
        var port = ((IPEndPoint)(await server.StatusAsync()).EndPoint).Port.ToString(CultureInfo.InvariantCulture);
        Assert.Equal("served\n", Run(
            "ssh", "-F", "none", "-i", $"{folder}/user", "-p", port, "-o", "StrictHostKeyChecking=no", "-o", $"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes",
            "root@127.0.0.1", "echo served"));
    }

    [Fact]
    public async Task A_program_that_is_started_at_once_says_when_it_is_ready_and_those_after_it_can_be_reached_only_then()
    {
        using var folder = new Folder();
        var go = folder["go"];
        var last = ServiceEndpoint.Unix(folder["last"]);
        const string Notifies = """
            import os, socket, sys, time
            open(sys.argv[1] + '-waits', 'w').close()
            while not os.path.exists(sys.argv[1]):
                time.sleep(0.002)
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.sendto(b'STATUS=warm\nREADY=1', '\0' + os.environ['NOTIFY_SOCKET'][1:])
            time.sleep(1000)
            """;
        var starting = SuperServerCase.StartAsync(
            SuperServerCase.Script("last", "echo here", last) with { After = ["first"] },
            Service.Program("first", SuperServerCase.Free, "python3", "-c", Notifies, go) with { Waits = true, StartsAtOnce = true, Notifies = true });
        await Limits.Until(() => File.Exists(go + "-waits"), "the first program to run");
        Assert.True(File.Exists(last.Path!), "all addresses are bound before anything is started");
        await Assert.ThrowsAsync<SocketException>(() => Client.ConnectAsync(last.Address));
        Assert.False(starting.IsCompleted);

        File.WriteAllText(go, "");
        await using var server = await starting.Within();
        Assert.Equal("here\n", await server.AskAsync("", "last"));
    }

    static string Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Limits.Seconds(20)));
        Assert.True(process.ExitCode == 0, $"{program}: {errors.GetAwaiter().GetResult()}");
        return output;
    }
}
