using System.Diagnostics;
using System.Net;

namespace Skein.Bench.Mobility;

/// <summary>A contender with a node here and one in another operating-system process, connected by a Unix socket or by TLS.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
sealed class TwoNodes(string name, string settings, bool isSecured, Func<MobileNode, Task<double>> measure) : Contender(name, settings)
{
    string _folder = "";   // from the start on
    ClusterNode? _here;
    NodeProgram? _there;

    public override async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("skein-bench-nodes-").FullName;
        if (isSecured)
        {
            using var authority = ClusterAuthority.Create();
            using (var identity = authority.Issue(NodeProgram.Name))
                identity.Save(Path.Combine(_folder, "identity"));
            _there = await NodeProgram.StartAsync(NodeProgram.Argument, Path.Combine(_folder, "there"), Path.Combine(_folder, "identity"));
            _here = await ClusterNode.StartAsync("here", new()
            {
                Folder = Path.Combine(_folder, "here"),
                Identity = authority.Issue("here"),
                Peers = [new IPEndPoint(IPAddress.Loopback, _there.Port)],
            });
        }
        else
        {
            _there = await NodeProgram.StartAsync(NodeProgram.Argument, _folder);
            _here = await ClusterNode.StartAsync("here", new() { Folder = _folder });
        }

        var started = Stopwatch.GetTimestamp();
        while (!await _here.Node.Start(static () => CanHop()).Completion.Within())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience.Limit)
                throw new TimeoutException("the two nodes do not find each other");
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    public override Task<double> MeasureAsync() => measure(_here!.Node);

    public override async ValueTask DisposeAsync()
    {
        if (_here is not null)
            await _here.DisposeAsync();
        if (_there is not null)
            await _there.DisposeAsync();
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
    }

    static async Mobile<bool> CanHop()
    {
        try
        {
            await Here.MoveTo(NodeProgram.Name);
            await Here.MoveTo("here");
            return true;
        }
        catch (CannotMoveException)
        {
            return false;   // it is not connected yet
        }
    }
}
