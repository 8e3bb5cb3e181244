using System.Diagnostics;

namespace Skein.Cli;

/// <summary>Carries out <c>skein node start -d</c>: the same command once more, in a session of its own, until it says that it is ready.</summary>
static class DetachedNode
{
    const string Variable = "SKEIN_DETACHED";

    static bool _isDetached;

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
        if (await node.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } ready)
        {
            StandardStream.Output.Write(ready + "\n");
            return 0;
        }
        StandardStream.Error.Write(await node.StandardError.ReadToEndAsync().ConfigureAwait(false));
        await node.WaitForExitAsync().ConfigureAwait(false);
        return node.ExitCode;
    }

    /// <summary>In the node: the terminal's Ctrl-C and its end are none of its.</summary>
    public static void BeginOwnSession()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            return;
        Environment.SetEnvironmentVariable(Variable, null);
        _isDetached = true;
        _ = Native.NewSession();
    }

    /// <summary>In the node, once it is ready: nobody reads what it prints, beside its log.</summary>
    public static void LetGoOfStreams()
    {
        if (!_isDetached)
            return;
        using var nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        for (var stream = 0; stream <= 2; stream++)
            _ = Native.Duplicate((int)nothing.DangerousGetHandle(), stream);
    }
}
