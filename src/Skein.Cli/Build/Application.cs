using System.Diagnostics;
using System.Text;

namespace Skein.Cli;

/// <summary>
/// A C# file as a built application. Each state of the sources has a folder of its own in the cache, which is never written again: a
/// running application, and the workers it starts later, keep what they began with while the file is edited and built anew.
/// </summary>
static class Application
{
    /// <summary>Says of a folder which sources it was built from.</summary>
    const string StateFile = "skein-source.txt";

    /// <summary>The dll to run: the file itself, or what it is built into.</summary>
    public static async Task<string> DllOfAsync(string file, CancellationToken cancellation)
    {
        if (!file.EndsWith(".cs", StringComparison.Ordinal))
            return file;
        var state = SourceState.Of(file);
        var name = Path.GetFileNameWithoutExtension(file);
        var folder = Path.Combine(CacheFolder.Of("apps"), $"{name}-{Hash(file)}-{Hash(state)}");
        var dll = Path.Combine(folder, name + ".dll");
        if (IsOf(state, folder))
            return dll;
        using var _ = await BuildLock.TakeAsync(cancellation).ConfigureAwait(false);
        if (IsOf(state, folder))
            return dll;
        Messages.Note($"building {Path.GetFileName(file)} …");
        Keep(Path.GetDirectoryName(await BuildAsync(file, cancellation).ConfigureAwait(false))!, folder, state);
        return dll;
    }

    static bool IsOf(string state, string folder)
    {
        var file = Path.Combine(folder, StateFile);
        return File.Exists(file) && File.ReadAllText(file) == state;
    }

    /// <summary>Builds where <c>dotnet run</c> builds too, so that only what has changed is compiled; the path of the dll.</summary>
    static async Task<string> BuildAsync(string file, CancellationToken cancellation)
    {
        // An application of one file is by default made ready for ahead-of-time compilation, which forbids JSON by reflection.
        var start = new ProcessStartInfo(DotnetHost.Path,
            ["build", file, "-c", "Release", "-t:Build", "-getProperty:TargetPath", "-p:PublishAot=false", "-v", "q", "-nologo", "--tl:off", "-clp:NoSummary"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1" }, // or MSBuild would leave processes behind for the next build
        };
        using var build = System.Diagnostics.Process.Start(start)!;
        build.StandardInput.Close();
        try
        {
            var errors = build.StandardError.ReadToEndAsync(cancellation);
            var output = await build.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
            var said = await errors.ConfigureAwait(false);
            await build.WaitForExitAsync(cancellation).ConfigureAwait(false);
            var dll = output.TrimEnd().Split('\n')[^1];
            if (build.ExitCode == 0 && File.Exists(dll))
                return dll;
            StandardStream.Error.Write(said.Length > 0 ? Plain(said, file) : output);
            throw build.ExitCode == 145 || output.Contains("SDK was not found", StringComparison.Ordinal)
                ? new CommandFailure(ExitCode.Unavailable, $"building {file} needs the .NET 10 SDK.")
                : new CommandFailure(ExitCode.NotExecutable, $"{file} cannot be run: it does not compile.");
        }
        finally
        {
            if (!build.HasExited)
                build.Kill(entireProcessTree: true);
        }
    }

    // Each message of the compiler is followed by the name of a project file that does not exist.
    static string Plain(string said, string file) => said.Replace($" [{file}.csproj]", "", StringComparison.Ordinal);

    /// <summary>Copies what was built to its folder in the cache; whole or not at all.</summary>
    static void Keep(string built, string folder, string state)
    {
        var part = $"{folder}.{Environment.ProcessId}";
        Copy(built, part);
        File.WriteAllText(Path.Combine(part, StateFile), state);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.Move(part, folder);
        RemoveOld(folder);
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var inner in Directory.GetDirectories(from))
            Copy(inner, Path.Combine(to, Path.GetFileName(inner)));
    }

    /// <summary>Earlier states of the same file go after a week: nothing that still runs is likely to need them.</summary>
    static void RemoveOld(string folder)
    {
        var sameFile = Path.GetFileName(folder)[..^16];
        var limit = TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromDays(7);
        foreach (var old in new DirectoryInfo(Path.GetDirectoryName(folder)!).GetDirectories(sameFile + "*"))
        {
            if (old.FullName != folder && old.LastWriteTimeUtc < limit)
                old.Delete(recursive: true);
        }
    }

    /// <summary>FNV-1a: a name, not a proof (the state's text is compared); the framework's hashes cost 10 ms to load.</summary>
    static string Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * 1099511628211UL;
        return hash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
    }
}
