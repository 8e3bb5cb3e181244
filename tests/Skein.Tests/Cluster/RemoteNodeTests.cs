using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Authentication;

namespace Skein.Tests.Cluster;

/// <summary>Nodes of several machines speak over TLS, and only with those whose certificate their own authority has signed.</summary>
[SupportedOSPlatform("linux")]
public sealed class RemoteNodeTests : IAsyncDisposable
{
    static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    readonly string _folder = Directory.CreateTempSubdirectory("skein-remote-").FullName;
    readonly ManualTime _time = new();
    readonly ClusterAuthority _authority;
    readonly List<IAsyncDisposable> _started = [];

    public RemoteNodeTests() => _authority = ClusterAuthority.Create(_time);

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A node in a folder of its own, as on another machine.</summary>
    async Task<ClusterNode> Start(string name, ClusterOptions options)
    {
        var node = await ClusterNode.StartAsync(name, options with { Folder = Path.Combine(_folder, name) }).Within();
        _started.Add(node);
        return node;
    }

    Task<ClusterNode> StartFirst() => Start("a", new() { Listen = Anywhere, Identity = _authority.Issue("a"), Authority = _authority });

    static async Mobile<string> Visit()
    {
        var way = Here.Node!;
        foreach (var node in (string[])["b", "a", "b"])
        {
            await Here.MoveTo(node);
            way += Here.Node;
        }
        return $"{way} {await Here.Receive<string>()}";
    }

    [Fact]
    public async Task A_connection_that_is_made_while_the_node_leaves_is_closed()
    {
        using var listener = new TcpListener(Anywhere);
        listener.Start();
        using var far = new TcpClient();
        await far.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var near = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var connections = new Connections(new MobileNode("a").Peers);
        await connections.DisposeAsync();
        await connections.RunAsync(near.GetStream(), isOurs: false).Within();
        Assert.False(near.Connected);
    }

    [Fact]
    public async Task A_node_joins_by_a_token_and_processes_go_there_and_back()
    {
        var a = await StartFirst();
        using var identity = await ClusterIdentity.JoinAsync(_authority.NewToken(a.Listening!), "b").Within();
        Assert.Equal("b", identity.Name);
        var b = await Start("b", new() { Identity = identity, Peers = [a.Listening!] });
        await Limits.Until(() => a.Node.Peers.Find("b") is { IsOpen: true }, "the connection");
        var process = a.Node.Start(static () => Visit());
        process.Send("text");
        Assert.Equal("abab text", await process.Completion.Within());
        Assert.Equal(0, b.Node.Count);
    }

    [Fact]
    public async Task An_identity_is_kept_in_files_that_only_its_user_can_read()
    {
        using (var identity = _authority.Issue("a"))
            identity.Save(Path.Combine(_folder, "identity"));
        _authority.Save(Path.Combine(_folder, "authority"));
        Assert.All(Directory.GetFiles(_folder, "*.key", SearchOption.AllDirectories), static file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        using var read = ClusterIdentity.Open(Path.Combine(_folder, "identity"));
        using var authority = ClusterAuthority.Open(Path.Combine(_folder, "authority"));
        var a = await Start("a", new() { Listen = Anywhere, Identity = read });
        Assert.True(await IsHeardAsync(a, authority.Issue("b"), "b"));
    }

    [Fact]
    public async Task Who_has_no_certificate_of_this_cluster_that_is_in_force_is_not_heard()
    {
        var a = await StartFirst();
        using var other = ClusterAuthority.Create();
        Assert.True(await IsHeardAsync(a, _authority.Issue("b"), "b"));
        Assert.False(await IsHeardAsync(a, null, "b"));
        Assert.False(await IsHeardAsync(a, other.Issue("b"), "b"));
        Assert.False(await IsHeardAsync(a, _authority.Issue("b", TimeSpan.FromMinutes(-1)), "b"));
        Assert.False(await IsHeardAsync(a, _authority.Issue("c"), "b"));   // another's name
    }

    [Fact]
    public async Task A_token_is_good_for_no_name_that_another_node_has()
    {
        var a = await StartFirst();
        var neighbour = await ClusterNode.StartAsync("neighbour", new() { Folder = Path.Combine(_folder, "a") }).Within();   // of the same machine, without a certificate
        _started.Add(neighbour);
        (await ClusterIdentity.JoinAsync(_authority.NewToken(a.Listening!), "b").Within()).Dispose();   // and does not run
        _authority.Issue("c", TimeSpan.FromMinutes(-1)).Dispose();   // not in force any more
        var token = _authority.NewToken(a.Listening!);
        foreach (var name in (string[])["a", "neighbour", "b"])
            Assert.Contains("Take another name", (await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(token, name).Within())).Message);
        foreach (var name in (string[])["a/b", "d\ne"])
            Assert.Contains("A node cannot be named", (await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(token, name).Within())).Message);
        (await ClusterIdentity.JoinAsync(token, "c").Within()).Dispose();   // it has stayed good

        // An authority that is kept knows its names when it is started again, and those of another node that has the same.
        _authority.Save(Path.Combine(_folder, "authority"));
        using var again = ClusterAuthority.Open(Path.Combine(_folder, "authority"));
        using var other = ClusterAuthority.Open(Path.Combine(_folder, "authority"));
        other.Issue("e").Dispose();
        var listening = await Start("later", new() { Listen = Anywhere, Identity = again.Issue("later"), Authority = again });
        foreach (var name in (string[])["b", "c", "e"])
            Assert.Contains("is in force until", (await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(again.NewToken(listening.Listening!), name).Within())).Message);

        var names = Path.Combine(_folder, "authority", "names");
        await File.AppendAllTextAsync(names, "2036-01-0", TestContext.Current.CancellationToken);   // who wrote it was killed
        using (var third = ClusterAuthority.Open(Path.Combine(_folder, "authority")))
            third.Issue("f").Dispose();
        Assert.Equal(["b", "c", "later", "f"], (await File.ReadAllLinesAsync(names, TestContext.Current.CancellationToken)).Select(line => line.Split(' ')[1]).Except(["a", "e"]));
        await File.AppendAllTextAsync(names, "no line\n", TestContext.Current.CancellationToken);
        Assert.Throws<InvalidDataException>(() => ClusterAuthority.Open(Path.Combine(_folder, "authority")));
    }

    [Fact]
    public async Task A_token_for_a_name_takes_the_place_of_its_node_and_of_no_other()
    {
        var a = await StartFirst();
        (await ClusterIdentity.JoinAsync(_authority.NewToken(a.Listening!), "b").Within()).Dispose();
        var token = _authority.NewToken(a.Listening!, name: "b");
        Assert.Contains("for a node named b", (await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(token, "c").Within())).Message);
        using var identity = await ClusterIdentity.JoinAsync(token, "b").Within();
        Assert.True(await IsHeardAsync(a, identity, "b"));
        await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(token, "b").Within());
        Assert.Throws<ArgumentException>(() => _authority.NewToken(a.Listening!, name: "a/b"));
    }

    [Fact]
    public async Task A_token_is_good_once_and_for_a_while()
    {
        var a = await StartFirst();
        var token = _authority.NewToken(a.Listening!);
        (await ClusterIdentity.JoinAsync(token, "b").Within()).Dispose();
        Assert.Contains("it was used, or is too old", (await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(token, "c").Within())).Message);
        var late = _authority.NewToken(a.Listening!, TimeSpan.FromMinutes(2));
        _time.Advance(TimeSpan.FromMinutes(3));
        await Assert.ThrowsAsync<IOException>(() => ClusterIdentity.JoinAsync(late, "c").Within());
        await Assert.ThrowsAsync<FormatException>(() => ClusterIdentity.JoinAsync(token[..40], "c").Within());

        // Somebody else has taken the address: the newcomer says nothing to it.
        using var other = ClusterAuthority.Create();
        await Assert.ThrowsAsync<AuthenticationException>(() => ClusterIdentity.JoinAsync(other.NewToken(a.Listening!), "c").Within());
    }

    [Fact]
    public async Task A_node_without_an_identity_has_nothing_to_do_with_other_machines()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Start("a", new() { Listen = Anywhere }));
        await Assert.ThrowsAsync<ArgumentException>(() => Start("a", new() { Identity = _authority.Issue("b") }));
    }

    /// <summary>Connects, says who it is, and learns whether it was believed.</summary>
    static async Task<bool> IsHeardAsync(ClusterNode node, ClusterIdentity? identity, string name)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(node.Listening!).Within();
        await using var stream = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, static (_, certificate, _, _) => certificate is not null);
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "skein",
                ClientCertificateContext = identity is null ? null : SslStreamCertificateContext.Create(identity.Certificate, [identity.Authority], offline: true),
            }).Within();
            var frames = new FrameStream(stream);
            await frames.WriteAsync(FrameKind.Message, 0, PeerFrame.Hello(name, 1)).AsTask().Within();
            while (await frames.ReadAsync().Within() is { } frame)
            {
                if (frame.Body.Span[0] == (byte)PeerFrameKind.Resume)
                    return true;
            }
            return false;
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
