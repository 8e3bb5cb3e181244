using System.Net;
using System.Net.Sockets;
using Skein.Tests.Child;
using Skein.Tests.Cli;
using Skein.Tests.Cluster;

namespace Skein.Tests.Mobility;

/// <summary>Live sockets and open files go with their process from one operating-system process to another, and whoever is at the other end does not notice.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class PassedTests : IAsyncDisposable
{
    readonly MobileNode _a = new("a"), _b = new("b");
    readonly List<IAsyncDisposable> _started = [];
    readonly ScratchFolder _folder = new();

    public PassedTests() => _a.Connect(_b);

    public async ValueTask DisposeAsync()
    {
        foreach (var one in _started)
            await one.DisposeAsync();
        _folder.Dispose();
    }

    async Task<ClusterNode> JoinAsync()
    {
        var here = await ClusterNode.StartAsync("t", new() { Folder = _folder.Path }).Within();
        _started.Add(here);
        return here;
    }

    [Fact]
    public async Task A_connection_goes_on_in_other_operating_system_processes_and_no_byte_is_lost()
    {
        var nodes = await Task.WhenAll(NodeProcess.StartAsync("a", _folder.Path), NodeProcess.StartAsync("b", _folder.Path));
        _started.AddRange(nodes);
        var here = await JoinAsync();
        var (client, server) = await Talker.ConnectAsync();
        var session = here.Node.Start(() => SessionCase.Echo(Passed.Of(server)));
        var talk = client.RunAsync();
        for (var round = 0; round < (Limits.Long ? 100 : 3); round++)
        {
            foreach (var node in new[] { "a", "b", "t" })
            {
                await session.MoveToAsync(node).Within();
                await client.AnswerAsync();
            }
        }
        client.End();
        await talk.Within();
        client.Dispose();

        Assert.Equal([.. nodes.Select(node => node.Id).Append(Environment.ProcessId).Order()], (await session.Completion.Within()).Split(' ').Select(int.Parse));
        Assert.Equal(default, PassedDescriptors.Office);   // nothing is on its way
    }

    static async Mobile<int> Serve(Passed<Socket> listener)
    {
        var sessions = new List<Mobile<string>>();
        while (await Here.Restartable(token => AcceptAsync(listener, token)) is { } client)
        {
            sessions.Add(SessionCase.Echo(client));
            if (sessions.Count == 4)
                break;
        }
        return (await Mobile.WhenAll([.. sessions])).Length;
    }

    static async Task<Passed<Socket>> AcceptAsync(Passed<Socket> listener, CancellationToken token) => Passed.Of(await listener.Value.AcceptAsync(token));

    [Fact]
    public async Task A_server_goes_on_with_its_listener_and_all_of_its_sessions()
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var address = listener.LocalEndPoint!;
        var server = _a.Start(() => Serve(Passed.Of(listener)));
        var (clients, talks) = (new List<Talker>(), new List<Task>());
        for (var i = 0; i < 4; i++)   // one comes after each move
        {
            clients.Add(await Talker.ConnectAsync(address));
            talks.Add(clients[^1].RunAsync());
            await server.MoveToAsync(i % 2 == 0 ? "b" : "a").Within();
            await Task.WhenAll(clients.Select(client => client.AnswerAsync()));
        }
        foreach (var client in clients)
            client.End();
        await Task.WhenAll(talks).Within();
        Assert.Equal(4, await server.Completion.Within());
        clients.ForEach(client => client.Dispose());
        Assert.True(listener.SafeHandle.IsClosed);   // the first node has let go of it
    }

    sealed class Bound(Socket client, object printer)
    {
        [Passed] readonly Socket _client = client;
        [Fixed] readonly object _printer = printer;

        public Socket Client => _client;

        public override string ToString() => $"{_printer}";
    }

    static async Mobile<string> EchoWith(Bound bound)
    {
        var echoed = await SessionCase.Echo(Passed.Of(bound.Client));
        return $"{bound}{echoed.Length > 0}";
    }

    [Fact]
    public async Task Who_asks_while_no_descriptor_is_left_is_answered_when_there_is_one_and_nothing_spins()
    {
        var (text, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["passed-descriptors"]) { Limits = [new(LimitedResource.OpenFiles, 256)] });
        Assert.Equal((0, "waited\nanswered 1\n"), (status.Code, text));
    }

    [Fact]
    public async Task A_node_that_refuses_the_process_leaves_its_connection_as_it_was()
    {
        var printer = new object();
        _a.Provide("printer", printer);   // b has none
        var (client, server) = await Talker.ConnectAsync();
        var name = Link(server);
        var session = _a.Start(() => EchoWith(new(server, printer)));
        var talk = client.RunAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.AnswerAsync();
            Assert.Contains("printer", (await Assert.ThrowsAsync<CannotMoveException>(() => session.MoveToAsync("b").Within())).Message);
            await Limits.Until(() => Directory.GetFiles("/proc/self/fd").Count(file => TargetOf(file) == name) == 1, "no second descriptor to be left");
        }
        client.End();
        await talk.Within();
        await session.Completion.Within();
        client.Dispose();
        Assert.Equal(default, PassedDescriptors.Office);   // nothing is on its way
    }

    static async Mobile<string> EchoAndStore(Passed<Socket> connection)
    {
        var echo = SessionCase.Echo(connection);
        var why = "";
        try
        {
            await Here.Checkpoint();
        }
        catch (CannotMoveException e)
        {
            why = e.Message;
        }
        await echo;
        return why;
    }

    [Fact]
    public async Task It_is_in_no_checkpoint_and_no_image_that_is_looked_at_and_the_process_goes_on()
    {
        var node = new MobileNode("durable", store: FileStore.Open(_folder["processes.log"]));
        _started.Add(node.Store!);
        var (client, server) = await Talker.ConnectAsync();
        var talk = client.RunAsync();
        var connection = Passed.Of(server);
        var process = node.Start(() => EchoAndStore(connection));
        await client.AnswerAsync();
        Assert.Contains("Socket is open", (await Assert.ThrowsAsync<CannotMoveException>(() => process.CaptureAsync().Within())).Message);
        await client.AnswerAsync();
        client.End();
        await talk.Within();
        client.Dispose();
        Assert.Contains("Mark it [Transient] to leave it", await process.Completion.Within());
    }

    [Fact]
    public async Task Where_the_kernel_cannot_pass_it_the_process_is_refused_and_its_connection_goes_on()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, for another network namespace");
        _started.Add(await NodeProcess.StartAsync("far", _folder.Path, through: "unshare --net"));
        var here = await JoinAsync();
        var (client, server) = await Talker.ConnectAsync();
        var session = here.Node.Start(() => SessionCase.Echo(Passed.Of(server)));
        var talk = client.RunAsync();
        var refused = await Assert.ThrowsAsync<CannotMoveException>(() => session.MoveToAsync("far").Within(30));
        Assert.Contains("to be an operating-system process of the same machine", refused.Message);
        await client.AnswerAsync();
        client.End();
        await talk.Within();
        client.Dispose();
        await session.Completion.Within();
    }

    static async Mobile<string> Note(Passed<FileStream> notes)
    {
        await Here.MoveTo("b");
        notes.Value.Write("from b"u8);
        await Here.MoveTo("a");
        notes.Value.Position = 0;
        var text = new byte[100];
        return System.Text.Encoding.UTF8.GetString(text, 0, notes.Value.Read(text));
    }

    [Fact]
    public async Task An_open_file_goes_on_at_its_position_also_when_it_has_no_name_any_more()
    {
        var file = new FileStream(_folder["notes"], FileMode.Create, FileAccess.ReadWrite);
        file.Write("from a, "u8);
        File.Delete(_folder["notes"]);
        var notes = Passed.Of(file);
        Assert.Equal("from a, from b", await _a.Start(() => Note(notes)).Completion.Within());
        Assert.True(file.SafeFileHandle.IsClosed);
    }

    static async Mobile<bool> IsClosed(Passed<Socket> socket)
    {
        await Here.MoveTo("b");
        return socket.Value.SafeHandle.IsClosed;
    }

    [Fact]
    public async Task What_is_no_open_file_or_socket_and_what_is_closed_is_refused_or_stays_closed()
    {
        var (client, server) = await Talker.ConnectAsync();
        server.Dispose();
        var closed = Passed.Of(server);
        Assert.True(await _a.Start(() => IsClosed(closed)).Completion.Within());
        client.Dispose();
        var (office, ticket) = PassedDescriptors.Offer(0);
        Assert.Throws<CannotArriveException>(() => PassedDescriptors.Take(office, Guid.NewGuid()));
        PassedDescriptors.Withdraw(ticket);
        Assert.Throws<LinuxException>(() => PassedDescriptors.Take(office, ticket));
        Assert.Throws<LinuxException>(() => PassedDescriptors.Take(Guid.NewGuid(), Guid.NewGuid()));
    }

    const string Session = """
        public static class Flow
        {
        #if SECOND
            static string Answer(string text) => text;
        #endif
            public static async Mobile<string> Run()
            {
                var client = Passed.Of(Here.Resource<System.Net.Sockets.Socket>("client"));
                var said = "";
                while (true)
                {
                    var bytes = await Here.Restartable(token => ReceiveAsync(client, token));
                    if (bytes.Length == 0)
                    {
                        client.Value.Dispose();
                        return said;
                    }
                    if (!said.Contains(Version()))
                        said += Version();
                    await client.Value.SendAsync(bytes);
                }
            }

            static async Task<byte[]> ReceiveAsync(Passed<System.Net.Sockets.Socket> client, System.Threading.CancellationToken token)
            {
                var buffer = new byte[1000];
                return buffer[..await client.Value.ReceiveAsync(buffer, token)];
            }

        #if SECOND
            static string Version() => "second";
        #else
            static string Version() => "first";
        #endif
        }
        """;

    [Fact]
    public async Task A_connection_outlives_the_upgrade_of_the_code_that_serves_it()
    {
        using var first = new CompiledBuild(Session, "Chat");
        using var second = new CompiledBuild(Session, "Chat", symbols: ["SECOND"]);
        using var old = _a.Load(first.Module);
        using var next = _a.Load(second.Module);
        var (client, server) = await Talker.ConnectAsync();
        _a.Provide("client", server);
        var session = _a.Start(CompiledBuild.Run(old));
        var talk = client.RunAsync();
        await client.AnswerAsync();
        Assert.Null(Assert.Single(await _a.PreviewUpgradeAsync(next).Within()).WhyNot);
        await client.AnswerAsync();
        Assert.Null(Assert.Single(await _a.UpgradeAsync(next).Within()).WhyNot);
        await client.AnswerAsync();
        client.End();
        await talk.Within();
        client.Dispose();
        Assert.Equal("firstsecond", await session.Completion.Within());
    }

    static string Link(Socket socket) => TargetOf($"/proc/self/fd/{socket.Handle}")!;

    static string? TargetOf(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget;
        }
        catch (IOException)
        {
            return null;   // closed meanwhile
        }
    }
}
