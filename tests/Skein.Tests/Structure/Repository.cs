using System.Runtime.CompilerServices;

namespace Skein.Tests.Structure;

/// <summary>The source tree these tests were compiled from.</summary>
static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../.."));

    public static string At(string path) => Path.Combine(Root, path);

    /// <summary>The C# files below a folder, with their paths from it.</summary>
    public static IEnumerable<(string Path, string Text)> Sources(string folder) =>
        Directory.GetFiles(At(folder), "*.cs", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => (Path.GetRelativePath(At(folder), file), File.ReadAllText(file)));

    static string ThisFile([CallerFilePath] string path = "") => path;
}
