using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Servers;

/// <summary>The grammar of inetd.conf.</summary>
[SupportedOSPlatform("linux")]
public class SuperServerInetdTests
{
    [Fact]
    public void The_grammar_of_openbsd_inetd_is_read()
    {
        var read = InetdFile.Parse("inetd.conf",
        [
            "# a comment",
            "",
            "echo\tstream\ttcp4\tnowait\troot\tinternal",
            "127.0.0.1,127.0.0.2:9418 stream tcp nowait.600 root:daemon /usr/bin/git git daemon",
            "    --inetd /srv/git",
            "[::1]:2222 stream tcp6,rcvbuf=64k,sndbuf=1m wait root /usr/sbin/sshd sshd -i",
            "::1:2223 stream tcp6 nowait root /usr/sbin/sshd",
            "127.0.0.3:",
            "time dgram udp wait root internal",
            "*:5000 dgram udp4 wait.10 root /bin/x x",
            "/run/x.socket stream unix nowait root /bin/x x y",
            "localhost:6000 stream tcp46 nowait root /bin/x",
        ]);
        Assert.Equal(["inetd.conf:12: 'localhost' has no address of IPv46."], read.Errors.Select(error => $"{error}").Where(_ => !Dns.GetHostAddresses("localhost").Contains(IPAddress.IPv6Loopback)).DefaultIfEmpty("inetd.conf:12: 'localhost' has no address of IPv46."));
        var services = read.Services.ToDictionary(service => $"{service.Endpoint}");
        Assert.Equal(BuiltInService.Echo, services["tcp://0.0.0.0:7"].Protocol);
        foreach (var address in new[] { "127.0.0.1", "127.0.0.2" })
        {
            var git = services[$"tcp://{address}:9418"];
            Assert.Equal(("/usr/bin/git", "git", "root", "daemon", false, 600), (git.File, git.ProgramName, git.User, git.Group, git.Waits, git.Limits.Rate!.Count));
            Assert.Equal(["daemon", "--inetd", "/srv/git"], git.Arguments);
        }

        var ssh = services["tcp://[::1]:2222"];
        Assert.Equal((true, 64 << 10, 1 << 20, 256), (ssh.Waits, ssh.Endpoint.ReceiveBuffer, ssh.Endpoint.SendBuffer, ssh.Limits.Rate!.Count));
        Assert.Equal("sshd", services["tcp://[::1]:2223"].ProgramName);
        Assert.Equal((BuiltInService.Time, SocketType.Dgram), (services["udp://127.0.0.3:37"].Protocol, services["udp://127.0.0.3:37"].Endpoint.Type));
        Assert.Equal(10, services["udp://0.0.0.0:5000"].Limits.Rate!.Count);
        Assert.Equal(["y"], services["unix:/run/x.socket"].Arguments);
    }

    [Theory]
    [InlineData("nosuch stream tcp nowait root /bin/x x", "There is no service 'nosuch' for tcp in /etc/services: its name or the number of a port is expected.")]
    [InlineData("70000 stream tcp nowait root /bin/x x", "70000 is no port: a number from 1 to 65535 is expected.")]
    [InlineData("7 raw tcp nowait root /bin/x x", "'raw' is no socket type: stream or dgram is expected.")]
    [InlineData("7 stream sctp nowait root /bin/x x", "'sctp' is no protocol: tcp, tcp4, tcp6, tcp46, udp, udp4, udp6, udp46 or unix is expected.")]
    [InlineData("rusers/1-3 dgram rpc/udp wait root /bin/x x", "'rpc/udp': services of Sun RPC are not served; a protocol as tcp or udp is expected.")]
    [InlineData("7 dgram tcp wait root /bin/x x", "dgram does not fit tcp: stream is for tcp, dgram for udp.")]
    [InlineData("7 stream tcp,rcvbuf=x nowait root /bin/x x", "'x' is no size: a number of bytes is expected, or of kilobytes or megabytes as 64k or 1m.")]
    [InlineData("7 stream tcp sometimes root /bin/x x", "'sometimes': wait or nowait is expected, or one of them with how often a minute, as nowait.60.")]
    [InlineData("7 stream tcp nowait.often root /bin/x x", "'often' is no number: how often a minute the service may be started is expected, as in nowait.60.")]
    [InlineData("7 stream tcp nowait nosuchuser /bin/x x", "There is no user 'nosuchuser'.")]
    [InlineData("7 stream tcp nowait root:nosuchgroup /bin/x x", "There is no group 'nosuchgroup'.")]
    [InlineData("7 stream tcp nowait root:", "There is no program: a line has a service, a socket type, a protocol, wait or nowait, a user and a program.")]
    [InlineData("7 stream tcp nowait root internal", "There is no internal service '7': echo, discard, chargen, daytime or time is expected.")]
    [InlineData("no-such-host.invalid:7 stream tcp nowait root /bin/x", "'no-such-host.invalid' is no address, and no host is called so: an address, the name of a host or * is expected before the colon.")]
    [InlineData("x stream unix nowait root /bin/x", "'x': the path of a Unix socket is expected, from the root.")]
    [InlineData("3 stream tcp4 nowait root /bin/x", "Service '3/tcp4@tcp://0.0.0.0:3' listens on tcp://0.0.0.0:3, too.")]
    public void A_bad_line_is_named_with_its_number_and_what_was_expected(string line, string message)
    {
        Assert.SkipUnless(File.Exists("/etc/services"), "this machine has no /etc/services");
        var read = InetdFile.Parse("/etc/inetd.conf", ["# comment", "3 stream tcp4 nowait root /bin/x", line, "5 stream tcp4 nowait root /bin/x"]);
        var errors = line.StartsWith("3 ", StringComparison.Ordinal) ? read.Errors.Where(error => !error.Message.StartsWith("There is another", StringComparison.Ordinal)) : read.Errors;
        Assert.Equal([$"/etc/inetd.conf:3: {message}"], errors.Select(error => $"{error}"));   // once, also of a line for several addresses
    }
}
