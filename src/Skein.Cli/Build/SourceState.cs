using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Skein.Cli;

/// <summary>
/// All that a build of a C# file or a project depends on, as text: the file's own content, and of each file of the projects and settings it
/// refers to the time of writing; of a project, all that lies in its folder. Found without starting <c>dotnet</c>, in a few milliseconds.
/// </summary>
static partial class SourceState
{
    /// <summary>What MSBuild and NuGet look for in the file's folder and all above it.</summary>
    static readonly string[] Settings =
        ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "nuget.config", "NuGet.Config", "NuGet.config"];

    /// <summary>Folders that hold results or packages, not sources.</summary>
    static readonly string[] NotSources = ["bin", "obj", "artifacts", "node_modules"];

    public static string Of(string file)
    {
        var content = File.ReadAllText(file);
        var state = new StringBuilder();
        state.Append(CultureInfo.InvariantCulture, $"runtime {Environment.Version}\nfile {file}\n");
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        if (Application.IsProject(file))
            Add(file, folders, state);
        else
            AddDirectives(file, content, folders, state);
        foreach (var setting in folders.SelectMany(Ancestors).Distinct().SelectMany(folder => Settings, Path.Combine).Where(File.Exists))
            AppendTime(state, setting);
        return state.Append(content).ToString();
    }

    static void AddDirectives(string file, string content, SortedSet<string> folders, StringBuilder state)
    {
        folders.Add(Path.GetDirectoryName(file)!);
        foreach (Match directive in Directive().Matches(content))
            Add(Path.Combine(Path.GetDirectoryName(file)!, directive.Groups["value"].Value.Trim()), folders, state);
    }

    /// <summary>What a directive names, if it is a file or folder: a project with all below its folder and the projects it refers to.</summary>
    static void Add(string path, SortedSet<string> folders, StringBuilder state)
    {
        path = Path.GetFullPath(path);
        var isProject = path.EndsWith("proj", StringComparison.Ordinal);
        if (File.Exists(path) && !isProject)
        {
            AppendTime(state, path);
            return;
        }

        var folder = File.Exists(path) ? Path.GetDirectoryName(path)! : path;
        if (!Directory.Exists(folder) || !folders.Add(folder))
            return;
        AppendFiles(state, new(folder));
        foreach (var project in isProject ? [path] : Directory.GetFiles(folder, "*.*proj"))
        {
            foreach (Match reference in ProjectReference().Matches(File.ReadAllText(project)))
                Add(Path.Combine(folder, reference.Groups["value"].Value.Replace('\\', '/')), folders, state);
        }
    }

    static void AppendFiles(StringBuilder state, DirectoryInfo folder)
    {
        foreach (var entry in folder.GetFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.Name.StartsWith('.') || (entry is DirectoryInfo && NotSources.Contains(entry.Name)))
                continue;
            if (entry is DirectoryInfo { LinkTarget: null } inner)
                AppendFiles(state, inner);
            else
                AppendTime(state, entry.FullName);
        }
    }

    static IEnumerable<string> Ancestors(string folder)
    {
        for (var at = folder; at is not null; at = Path.GetDirectoryName(at))
            yield return at;
    }

    static void AppendTime(StringBuilder state, string path) =>
        state.Append(CultureInfo.InvariantCulture, $"reference {path} {File.GetLastWriteTimeUtc(path).Ticks}\n");

    [GeneratedRegex(@"^#:\w+[ \t]+(?<value>[^\r\n]+)", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"<ProjectReference\s[^>]*Include\s*=\s*""(?<value>[^""]+)""")]
    private static partial Regex ProjectReference();
}
