using System.Globalization;
using System.Runtime.Versioning;
using Skein.Tests.Cli;

namespace Skein.Tests.Servers;

/// <summary>The command <c>skein serve</c> while it serves the services of a file. Disposing kills it if it still runs.</summary>
[SupportedOSPlatform("linux")]
sealed class ServedFile : IDisposable
{
    readonly Folder _home = new();
    readonly Started _command;

    ServedFile(string[] words, string before) =>
        _command = SkeinCommand.StartProgram("/bin/sh", ["-c", before + "exec \"$@\"", "sh", "dotnet", SkeinCommand.Dll, .. words], Environment);

    public int Id => _command.Process.Id;

    public static async Task<ServedFile> StartAsync(string[] words, string before = "")
    {
        var served = new ServedFile(words, before);
        try
        {
            await served.UntilAsync("are served.", seconds: 30);
            return served;
        }
        catch
        {
            served.Dispose();
            throw;
        }
    }

    /// <summary>Where commands must look to find it.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["SKEIN_HOME"] = _home.Path };

    /// <summary>Runs another command to its end, as somebody else on the machine would.</summary>
    public Task<Ended> AskAsync(params string[] words) => SkeinCommand.RunAsync("", words, Environment);

    public void Signal(string name)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{name}", Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public string Said => _command.Error + _command.Output;

    public Task UntilAsync(string text, double seconds = 10) => Limits.Until(
        () => Said.Contains(text, StringComparison.Ordinal) || (_command.Process.HasExited && Fail()), () => $"'{text}' in: {Said}", seconds);

    public async Task<int> EndAsync() => (await _command.EndAsync(20)).Code;

    public void Dispose()
    {
        _command.Dispose();
        _home.Dispose();
    }

    bool Fail()
    {
        Assert.Fail($"It has ended with code {_command.Process.ExitCode}: {Said}");
        return false;
    }
}
