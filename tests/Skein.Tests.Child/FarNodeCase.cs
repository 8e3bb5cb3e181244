using System.Net;

namespace Skein.Tests.Child;

/// <summary>A durable node as on a machine of its own: all that comes and goes does so over TLS.</summary>
public static class FarNodeCase
{
    /// <summary>Each line of standard input is a file: of a process that this node starts and that goes to the other one. Until standard input ends.</summary>
    /// <param name="peer">The address of the other one; empty where that one connects.</param>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public static async Task<int> Run(string name, string folder, string peer)
    {
        using var identity = ClusterIdentity.Open(folder);
        await using var store = FileStore.Open(Path.Combine(folder, "store"));
        await using var cluster = await ClusterNode.StartAsync(name, new()
        {
            Folder = folder,
            Identity = identity,
            Store = store,
            Listen = new(IPAddress.Loopback, 0),
            Peers = peer.Length > 0 ? [IPEndPoint.Parse(peer)] : [],
            AnswerLimit = TimeSpan.FromMilliseconds(200),
        });
        Console.WriteLine($"ready {cluster.Listening}");
        while (await Console.In.ReadLineAsync() is { } file)
            cluster.Node.Start(() => Go("b", file));
        return 0;
    }

    /// <summary>Stores itself, goes there when it is told, and waits for the end. Each step is a line of the file, so that two of it would be seen.</summary>
    static async Mobile Go(string node, string file)
    {
        await Here.Checkpoint();
        Say("stored");
        await Until(".go");
        try
        {
            await Here.MoveTo(node);
        }
        catch (CannotMoveException)
        {
            // it is told apart by where it goes on
        }
        Say($"at {Here.Node}");
        await Until(".end");
        Say("end");

        void Say(string what) => File.AppendAllText(file, $"{what}\n");

        async Mobile Until(string mark)
        {
            while (!File.Exists(file + mark))
                await Here.Delay(TimeSpan.FromMilliseconds(2));
        }
    }
}
