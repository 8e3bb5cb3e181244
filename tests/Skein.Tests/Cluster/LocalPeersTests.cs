using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Skein.Tests.Cluster;

/// <summary>How nodes of one machine find each other, when something is in the way.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalPeersTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-nodes-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_node_that_never_answers_holds_up_the_start_of_another_for_a_moment_only()
    {
        await using var runs = new FileStream(Path.Combine(_folder, "silent.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "silent.node")));
        socket.Listen();   // and never takes anybody

        await using var node = await ClusterNode.StartAsync("a", new() { Folder = _folder }).Within(30);
        Assert.Null(node.Node.Peers.Find("silent"));
    }

    [Fact]
    public async Task A_look_that_fails_is_not_the_last()
    {
        var node = new MobileNode("a");
        await using var connections = new Connections(node.Peers);
        var folder = Path.Combine(_folder, "nodes");
        using var peers = new LocalPeers(node, new NodeFolder(folder), connections);
        peers.Listen();
        Directory.Delete(folder, recursive: true);
        using var closing = new CancellationTokenSource();
        var running = peers.RunAsync(closing.Token);   // looks at once

        await closing.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
        Directory.CreateDirectory(folder);
    }
}
