using System.Diagnostics;
using System.Globalization;
using Skein.Tests.Child;

namespace Skein.Tests.Cluster;

/// <summary>Letters of durable processes, whose nodes are operating-system processes that are killed.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class CorrespondenceTests : IAsyncDisposable
{
    static readonly string Program =
        Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");

    readonly string _folder = Directory.CreateTempSubdirectory("skein-letters-").FullName;
    readonly List<Process> _nodes = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.ToArray())
        {
            if (!node.HasExited)
                node.Kill();
            await node.WaitForExitAsync().Within();
            node.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    Process Start(string name, string deadly = "never")
    {
        var node = Process.Start(new ProcessStartInfo(Program, ["durable-node", name, _folder, deadly]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        lock (_nodes)
            _nodes.Add(node);
        return node;
    }

    async Task<Process> StartReady(string name)
    {
        var node = Start(name);
        Assert.Equal($"ready {name}", await node.StandardOutput.ReadLineAsync().Within(30));
        return node;
    }

    /// <summary>Lets a node die at each step of its first saves, and then live.</summary>
    async Task DieAtEachStep(string name, Process first)
    {
        first.Kill();
        await first.WaitForExitAsync().Within();
        foreach (var save in Enumerable.Range(1, Limits.Long ? 20 : 1))
        {
            foreach (var when in (string[])["before", "after"])
            {
                var node = Start(name, string.Create(CultureInfo.InvariantCulture, $"{when} {save}"));
                await node.WaitForExitAsync().Within(60);
                Assert.Equal(128 + 9, node.ExitCode);
            }
        }
        Start(name);
    }

    [Fact]
    public async Task No_letter_is_lost_or_repeated_when_the_nodes_of_sender_and_receiver_are_killed_at_each_step_of_a_save()
    {
        var (letters, file) = (Limits.Long ? 5000 : 150, Path.Combine(_folder, "read"));
        var nodes = await Task.WhenAll(StartReady("a"), StartReady("b"));
        await using var here = await ClusterNode.StartAsync("t", new() { Folder = _folder }).Within();
        var reader = here.Node.Start(() => Correspondence.Read("b", letters, file));
        await Limits.Until(() => File.Exists(file), "the reader to be stored");
        var (id, stored) = (reader.Id, Path.Combine(_folder, "written"));
        var writer = here.Node.Start(() => Correspondence.Write("a", id, letters, stored));
        await Limits.Until(() => File.Exists(stored), "the writer to be stored");

        var dying = Task.WhenAll(DieAtEachStep("b", nodes[1]), DieAtEachStep("a", nodes[0]));
        writer.Raise("go", true);   // its node was killed: it has not written all before that
        for (var number = 1; number <= letters; number++)
            reader.Send(("handle", number));

        await dying.Within(Limits.Long ? 600 : 60);
        await Limits.Until(() => File.ReadAllLines(file)[^1] == "all", () => $"all letters; there were {string.Join(", ", File.ReadAllLines(file))}", Limits.Long ? 600 : 60);
        Assert.Equal(["stored", "all"], File.ReadAllLines(file));
    }
}
