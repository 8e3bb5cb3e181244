using System.Diagnostics;
using System.Text;

namespace Skein.Tests.Cli;

/// <summary>The real command, started as a person would start it.</summary>
static class SkeinCommand
{
    /// <summary>The dll that was built together with these tests.</summary>
    public static string Dll { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Skein.Cli", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "skein-cli.dll"));

    /// <summary>Runs it to its end.</summary>
    public static Task<Ended> RunAsync(params string[] words) => RunAsync("", words);

    public static async Task<Ended> RunAsync(string input, string[] words, IReadOnlyDictionary<string, string>? environment = null, double seconds = 30)
    {
        using var started = Start(words, environment);
        await started.Process.StandardInput.WriteAsync(input);
        started.Process.StandardInput.Close();
        return await started.EndAsync(seconds);
    }

    public static Started Start(string[] words, IReadOnlyDictionary<string, string>? environment = null) => StartProgram("dotnet", [Dll, .. words], environment);

    /// <summary>With standard output (1) or standard error (2) a pipe whose reader has gone.</summary>
    public static Started StartUnread(int descriptor, string[] words, IReadOnlyDictionary<string, string>? environment = null)
    {
        const string Unread = "import os, sys; reader, writer = os.pipe(); os.dup2(writer, int(sys.argv[1])); os.close(reader); os.execvp('dotnet', sys.argv[2:])";
        return StartProgram("python3", ["-c", Unread, $"{descriptor}", "dotnet", Dll, .. words], environment);
    }

    /// <summary>Any program, for comparison.</summary>
    public static async Task<Ended> RunProgramAsync(string program, params string[] words)
    {
        using var started = StartProgram(program, words, null);
        started.Process.StandardInput.Close();
        return await started.EndAsync(30);
    }

    public static Started StartProgram(string program, string[] words, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, words)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new(System.Diagnostics.Process.Start(start)!);
    }
}

/// <summary>A command in execution. Disposing kills it if it still runs.</summary>
sealed class Started : IDisposable
{
    readonly StringBuilder _output = new(), _error = new();
    readonly Task _outputRead, _errorRead;

    public Started(System.Diagnostics.Process process)
    {
        Process = process;
        _outputRead = ReadAsync(process.StandardOutput, _output);
        _errorRead = ReadAsync(process.StandardError, _error);
    }

    public System.Diagnostics.Process Process { get; }

    /// <summary>While it is false nobody reads what the command prints.</summary>
    public bool IsRead { get; set; } = true;

    public string Output => Text(_output);

    public string Error => Text(_error);

    public Task SignalAsync(string signal) => SkeinCommand.RunProgramAsync("kill", $"-{signal}", $"{Process.Id}");

    public async Task<Ended> EndAsync(double seconds = 30)
    {
        await Task.WhenAll(Process.WaitForExitAsync(), _outputRead, _errorRead).Within(seconds);
        return new(Process.ExitCode, Output, Error);
    }

    public void Dispose()
    {
        if (!Process.HasExited)
            Process.Kill(entireProcessTree: true);
        Process.Dispose();
    }

    async Task ReadAsync(StreamReader from, StringBuilder to)
    {
        var buffer = new char[4096];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            lock (to)
                to.Append(buffer, 0, read);
            while (!IsRead)
                await Task.Delay(TimeSpan.FromMilliseconds(5));
        }
    }

    static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}

/// <summary>How the command ended, and what it said.</summary>
sealed record Ended(int Code, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A folder of a test's own, removed with all that is in it.</summary>
sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("skein-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Write(string name, string content)
    {
        File.WriteAllText(this[name], content);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
