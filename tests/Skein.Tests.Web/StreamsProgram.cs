using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein.Tests.Web;

/// <summary>Says again whatever it hears on a Unix socket, until it is killed.</summary>
[SupportedOSPlatform("linux")]
static class StreamsProgram
{
    public static async Task RunAsync(string model, string path)
    {
        await using var server = await SkeinServer.StartAsync(
            new UnixDomainSocketEndPoint(path), EchoAsync, model == "eventloop" ? ServerModel.EventLoop : ServerModel.Threaded, new() { Backlog = 512 });
        await File.WriteAllTextAsync($"{path}.ready", "");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    }

    static async Task EchoAsync(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync(connection.ConnectionClosed);
            foreach (var part in read.Buffer)
                await connection.Transport.Output.WriteAsync(part, connection.ConnectionClosed);
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }
}
