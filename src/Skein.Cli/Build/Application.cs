using System.Diagnostics;
using System.Text;

namespace Skein.Cli;

/// <summary>
/// A C# file or a project as a built application. Each state of the sources has a folder of its own in the cache, which is never written
/// again: a running application, and the workers it starts later, keep what they began with while sources are edited and built anew.
/// </summary>
static class Application
{
    /// <summary>Says of a folder what is to be run, and after that line which sources it was built from.</summary>
    const string StateFile = "skein-source.txt";

    /// <summary>Whether it must be built before it can run.</summary>
    public static bool IsSource(string file) => file.EndsWith(".cs", StringComparison.Ordinal) || IsProject(file);

    public static bool IsProject(string file) => Path.GetExtension(file) is ".csproj" or ".fsproj" or ".vbproj";

    /// <summary>The dll to run: the file itself, or what it is built into.</summary>
    /// <param name="note">Is told when it is built.</param>
    /// <exception cref="CommandFailure">It cannot be built: it holds what the compiler said.</exception>
    public static async Task<string> DllOfAsync(string file, Action<string> note, CancellationToken cancellation)
    {
        if (!IsSource(file))
            return file;
        var state = StateOf(file);
        var folder = Path.Combine(CacheFolder.Of("apps"), $"{Path.GetFileNameWithoutExtension(file)}-{Hash(file)}-{Hash(state)}");
        if (DllIn(folder, state) is { } known)
            return known;
        using var _ = await BuildLock.TakeAsync(note, cancellation).ConfigureAwait(false);
        if (DllIn(folder, state) is { } built)
            return built;
        note($"building {Path.GetFileName(file)} …");
        var part = $"{folder}.{Environment.ProcessId}";
        try
        {
            var dll = IsProject(file)
                ? await PublishAsync(file, part, cancellation).ConfigureAwait(false)
                : await BuildAsync(file, part, cancellation).ConfigureAwait(false);
            File.WriteAllText(Path.Combine(part, StateFile), $"{dll}\n{state}");
            Keep(part, folder);
            return Path.Combine(folder, dll);
        }
        catch (Exception error) when (error is IOException and not FileNotFoundException or UnauthorizedAccessException)
        {
            throw CacheFolder.Refusal(error);
        }
        finally
        {
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
        }
    }

    static string StateOf(string file)
    {
        try
        {
            return SourceState.Of(file);
        }
        catch (IOException error)
        {
            throw new CommandFailure(ExitCode.NoInput, $"{file} cannot be read: {error.Message}");
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.NotExecutable, $"{file} cannot be read: no permission.");
        }
    }

    /// <summary>Null where this state was not built yet.</summary>
    static string? DllIn(string folder, string state)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, StateFile)).Split('\n', 2) is [var dll, var known] && known == state ? Path.Combine(folder, dll) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;   // it is built anew, as far as that is possible
        }
    }

    /// <summary>Builds where <c>dotnet run</c> builds too, so that only what has changed is compiled, and copies that; the name of the dll.</summary>
    static async Task<string> BuildAsync(string file, string part, CancellationToken cancellation)
    {
        // An application of one file is by default made ready for ahead-of-time compilation, which forbids JSON by reflection.
        var dll = await RunAsync(file, ["build", file, "-c", "Release", "-t:Build", "-getProperty:TargetPath", "-p:PublishAot=false"], cancellation).ConfigureAwait(false);
        if (!File.Exists(dll))
            throw new CommandFailure(ExitCode.NotExecutable, $"{file} cannot be run: its build made no {dll}.");
        Copy(Path.GetDirectoryName(dll)!, part);
        return Path.GetFileName(dll);
    }

    /// <summary>All that belongs to the application, as it would be deployed: settings, static files, native libraries; the name of the dll.</summary>
    // Not by `dotnet publish`, which leaves folders behind in the temporary one.
    static Task<string> PublishAsync(string project, string part, CancellationToken cancellation) => RunAsync(
        project,
        ["msbuild", project, "-restore", "-t:Publish", "-getProperty:TargetFileName", $"-p:PublishDir={part}{Path.DirectorySeparatorChar}", "-p:Configuration=Release",
            "-p:SelfContained=false", "-p:PublishAot=false", "-p:PublishTrimmed=false", "-p:PublishSingleFile=false"],
        cancellation);

    /// <summary>What <c>dotnet</c> says about a property, after it has done its work.</summary>
    static async Task<string> RunAsync(string file, string[] words, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(DotnetHost.Path, [.. words, "-v:q", "-nologo", "-tl:off", "-clp:NoSummary"])
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
            if (build.ExitCode == 0)
                return output.TrimEnd().Split('\n')[^1];
            said = said.Length > 0 ? Plain(said, file) : output;
            throw build.ExitCode == 145 || output.Contains("SDK was not found", StringComparison.Ordinal)
                ? new CommandFailure(ExitCode.Unavailable, $"building {file} needs the .NET 10 SDK.", said)
                : new CommandFailure(ExitCode.NotExecutable, $"{file} cannot be run: it {(said.Contains(": error CS", StringComparison.Ordinal) ? "does not compile" : "could not be built")}.", said);
        }
        finally
        {
            if (!build.HasExited)
                build.Kill(entireProcessTree: true);
        }
    }

    // Each message of the compiler is followed by the name of a project file that does not exist.
    static string Plain(string said, string file) => said.Replace($" [{file}.csproj]", "", StringComparison.Ordinal);

    /// <summary>Gives it its place in the cache: whole or not at all.</summary>
    static void Keep(string part, string folder)
    {
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

    /// <summary>Earlier states of the same file go after a week, unless they still run: a server may for months.</summary>
    static void RemoveOld(string folder)
    {
        var sameFile = Path.GetFileName(folder)[..^16];
        var limit = TimeProvider.System.GetUtcNow().UtcDateTime - TimeSpan.FromDays(7);
        foreach (var old in new DirectoryInfo(Path.GetDirectoryName(folder)!).GetDirectories(sameFile + "*"))
        {
            if (old.FullName == folder || old.LastWriteTimeUtc >= limit || Runs(old.FullName + Path.DirectorySeparatorChar))
                continue;
            try
            {
                old.Delete(recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Another's, or just being removed by another: it costs room, and no build.
            }
        }
    }

    static bool Runs(string folder) => Directory.EnumerateDirectories("/proc").Any(process =>
    {
        try
        {
            return char.IsAsciiDigit(Path.GetFileName(process)[0]) && File.ReadAllText($"{process}/cmdline").Contains(folder, StringComparison.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;   // it has just ended
        }
    });

    /// <summary>FNV-1a: a name, not a proof (the state's text is compared); the framework's hashes cost 10 ms to load.</summary>
    static string Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * 1099511628211UL;
        return hash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
    }
}
