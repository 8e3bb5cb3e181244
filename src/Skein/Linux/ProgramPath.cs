using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Finds the file of a program by its name, as a shell does.</summary>
[SupportedOSPlatform("linux")]
static partial class ProgramPath
{
    /// <summary>
    /// The absolute path of a program: a name with a slash is a path relative to the working directory, any other is looked up in the
    /// folders of PATH.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">There is one, but it may not be executed, or is a folder.</exception>
    public static string Find(string name, string? workingDirectory = null)
    {
        var here = workingDirectory ?? Environment.CurrentDirectory;
        if (name.Contains('/'))
            return Check(name, Path.GetFullPath(name, Path.GetFullPath(here)));

        string? refused = null;
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':'))
        {
            var path = Path.Combine(Path.GetFullPath(folder.Length == 0 ? "." : folder, Path.GetFullPath(here)), name);
            if (name.Length == 0 || !File.Exists(path))
                continue;
            if (IsExecutable(path))
                return path;
            refused ??= path;
        }

        return refused is null
            ? throw new FileNotFoundException($"There is no program '{name}' in the folders of PATH.", name)
            : throw new UnauthorizedAccessException($"The file '{refused}' is not executable.");
    }

    static string Check(string name, string path)
    {
        if (Directory.Exists(path))
            throw new UnauthorizedAccessException($"'{path}' is a folder, not a program.");
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no program '{path}'.", name);
        return IsExecutable(path) ? path : throw new UnauthorizedAccessException($"The file '{path}' is not executable.");
    }

    static bool IsExecutable(string path) => Access(path, 1) == 0;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
