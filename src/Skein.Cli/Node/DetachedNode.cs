using System.Diagnostics;

namespace Skein.Cli;

/// <summary>Carries out <c>skein node start -d</c>: the same command once more, in a session of its own, until it says that it is ready.</summary>
static class DetachedNode
{
    const string Variable = "SKEIN_DETACHED";

    /// <summary>In a node that is detached: where its parent hears that it is ready. What its processes print goes nowhere, beside its log.</summary>
    static int? _toParent;

    public static async Task<int> StartAsync(NodeRequest request)
    {
        var start = new ProcessStartInfo(DotnetHost.Path, [typeof(DetachedNode).Assembly.Location, .. request.Words])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [Variable] = "1" },
        };
        using var node = System.Diagnostics.Process.Start(start)!;
        node.StandardInput.Close();
        var errors = node.StandardError.ReadToEndAsync();   // processes that go on from its store may have much to say before it is ready
        if (await node.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } ready)
        {
            StandardStream.Output.Write(ready + "\n");
            return 0;
        }
        StandardStream.Error.Write(await errors.ConfigureAwait(false));
        await node.WaitForExitAsync().ConfigureAwait(false);
        return node.ExitCode;
    }

    /// <summary>In the node: the terminal's Ctrl-C and its end are none of its.</summary>
    public static void BeginOwnSession()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            return;
        Environment.SetEnvironmentVariable(Variable, null);
        _ = Native.NewSession();
        _toParent = Native.Control(1, Native.DuplicateCloseOnExec, 3);
        SendNowhere(0, 1);
    }

    /// <summary>In the node, which may be detached.</summary>
    public static void SayReady(string name)
    {
        var ready = $"ready {name}\n";
        if (_toParent is not { } parent)
        {
            StandardStream.Output.Write(ready);
            return;
        }
        new StandardStream(parent, "standard output").Write(ready);
        _ = Native.Close(parent);
        SendNowhere(2);
    }

    static void SendNowhere(params ReadOnlySpan<int> streams)
    {
        using var nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        foreach (var stream in streams)
            _ = Native.Duplicate((int)nothing.DangerousGetHandle(), stream);
    }
}
