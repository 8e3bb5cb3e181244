using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Skein;

/// <summary>
/// One version of an application: the folder that its path led to at that moment, all symbolic links followed. What runs keeps its folder
/// while the links are pointed at the next one.
/// </summary>
[SupportedOSPlatform("linux")]
sealed partial class Release
{
    const string WebFramework = "Microsoft.AspNetCore.App";

    readonly Dictionary<string, (DateTime Written, long Length)> _files;

    Release(string dll)
    {
        Dll = dll;
        Folder = Path.GetDirectoryName(dll)!;
        _files = Look(Folder);
    }

    public string Dll { get; }

    public string Folder { get; }

    /// <summary>Where a path leads now.</summary>
    /// <exception cref="ServeException">It leads nowhere, or to what cannot be served.</exception>
    public static Release At(string path)
    {
        if (RealPath(path, 0) is not { } dll)
            throw new ServeException($"There is no application '{path}' ({Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}).");
        var settings = Path.ChangeExtension(dll, ".runtimeconfig.json");
        if (!File.Exists(settings))
            throw new ServeException($"'{dll}' is no application that can be started: there is no {Path.GetFileName(settings)} beside it.");
        RequireProgram(dll);
        var options = Options(settings);
        if (!Frameworks(options).Contains(WebFramework))
        {
            throw new ServeException(
                $"'{dll}' is no web application: {Path.GetFileName(settings)} does not name {WebFramework}. A project of the SDK Microsoft.NET.Sdk.Web does.");
        }

        if (!AllowsHooks(options))
        {
            throw new ServeException(
                $"'{dll}' cannot be served as it is: it was built with StartupHookSupport=false (trimming sets it). Set <StartupHookSupport>true</StartupHookSupport> in its project.");
        }

        return new(dll);
    }

    /// <summary>Another text when another release, or other files, are there.</summary>
    public string State => $"{Dll}\n{string.Join('\n', _files.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => $"{file.Key} {file.Value.Written.Ticks} {file.Value.Length}"))}";

    /// <summary>The files of the release that are not any more as they were; workers that run them may crash or mix versions.</summary>
    public IReadOnlyList<string> Overwritten()
    {
        var now = Look(Folder);
        return [.. _files.Where(file => !now.TryGetValue(file.Key, out var state) || state != file.Value).Select(file => file.Key).Order(StringComparer.Ordinal)];
    }

    static Dictionary<string, (DateTime, long)> Look(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).GetFiles("*.dll").ToDictionary(file => file.Name, file => (file.LastWriteTimeUtc, file.Length));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];   // the folder is gone, or changes just now
        }
    }

    // The runtime's own words for these are a stack trace, after a start.
    static void RequireProgram(string dll)
    {
        try
        {
            using var image = new PEReader(File.OpenRead(dll));
            if (!image.HasMetadata)
                throw new BadImageFormatException("It has no metadata.");
            if (image.PEHeaders.CorHeader!.EntryPointTokenOrRelativeVirtualAddress == 0)
                throw new ServeException($"'{dll}' is a library: there is no Main in it to be started.");
        }
        catch (BadImageFormatException error)
        {
            throw new ServeException($"'{dll}' is no .NET assembly: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServeException($"'{dll}' cannot be read: {error.Message}", error);
        }
    }

    static JsonElement Options(string settings)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(settings), new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return json.RootElement.TryGetProperty("runtimeOptions", out var options) ? options.Clone() : default;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new ServeException($"{settings}: {error.Message}", error);
        }
    }

    static bool AllowsHooks(JsonElement options) =>
        Member(Member(options, "configProperties"), "System.StartupHookProvider.IsSupported").ValueKind != JsonValueKind.False;

    static IEnumerable<string?> Frameworks(JsonElement options) =>
        ((string[])["frameworks", "includedFrameworks"]).Select(name => Member(options, name)).Where(list => list.ValueKind == JsonValueKind.Array).SelectMany(list => list.EnumerateArray())
            .Append(Member(options, "framework")).Select(framework => Member(framework, "name")).Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString());

    static JsonElement Member(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var member) ? member : default;

    // The framework follows only the last link of a path.
    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial string? RealPath(string path, nint result);
}
