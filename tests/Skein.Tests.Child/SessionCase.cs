using System.Net.Sockets;

namespace Skein.Tests.Child;

/// <summary>A server of one client, which goes on wherever its process is.</summary>
public static class SessionCase
{
    /// <summary>Sends back what comes until the client sends no more; then the numbers of the operating-system processes that it has read in.</summary>
    public static async Mobile<string> Echo(Passed<Socket> client)
    {
        var places = new SortedSet<int>();
        while (true)
        {
            var bytes = await Here.Restartable(token => ReceiveAsync(client, token));
            if (bytes.Length == 0)
                break;
            places.Add(Environment.ProcessId);
            await client.Value.SendAsync(bytes);
        }
        client.Value.Dispose();
        return string.Join(' ', places);
    }

    public static async Task<byte[]> ReceiveAsync(Passed<Socket> client, CancellationToken token)
    {
        var buffer = new byte[1000];
        return buffer[..await client.Value.ReceiveAsync(buffer, token)];
    }
}
