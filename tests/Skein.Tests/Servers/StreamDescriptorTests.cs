using System.Net.Sockets;
using System.Runtime.Versioning;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>A server for streams in a program that has no descriptor left.</summary>
[SupportedOSPlatform("linux")]
public class StreamDescriptorTests
{
    const int Most = 160, Reserved = 16, Many = 200;

    [Theory]
    [InlineData("threaded")]
    [InlineData("eventloop")]
    public async Task Without_descriptors_nobody_is_let_in_until_some_are_free_and_no_processor_is_burnt(string model)
    {
        using var folder = new ScratchFolder();
        using var server = Spawner.Start(new SpawnRequest(ProgramPath.Find("dotnet"), [WebProgram.Dll, "streams", model, folder["socket"]])
        {
            Limits = [new(LimitedResource.OpenFiles, Most)],
        });
        try
        {
            await FillAndEmptyAsync(server.Id, folder["socket"]);
        }
        finally
        {
            server.Kill();
            await server.Exited.Within();
        }
    }

    static async Task FillAndEmptyAsync(int server, string socket)
    {
        await Limits.Until(() => File.Exists($"{socket}.ready"), "the server to listen", 30);
        var clients = new List<StreamClient>();
        for (var i = 0; i < Many; i++)
            clients.Add(await ConnectAsync(socket));
        await Limits.Until(() => Directory.GetFileSystemEntries($"/proc/{server}/fd").Length >= Most - Reserved - 1, "the server to have no descriptor left");

        var (used, from) = (ProcessUse.ProcessorTime(server)!.Value, TimeProvider.System.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(1));   // for what would be busy meanwhile
        var share = (ProcessUse.ProcessorTime(server)!.Value - used) / TimeProvider.System.GetElapsedTime(from);
        Assert.True(share < 0.3, $"{share:p0} of a processor while nobody can be let in");

        foreach (var client in clients)
        {
            await client.SendAsync("served in its turn");
            Assert.Equal("served in its turn"u8.ToArray(), await client.ReadAsync("served in its turn".Length));
            client.Dispose();   // makes room for one of those that wait
        }
    }

    static async Task<StreamClient> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).Within();
        return new(socket, new NetworkStream(socket));
    }
}
