namespace Skein.Cli;

/// <summary>What is to be run: FILE, or the program after <c>--</c>.</summary>
static class Target
{
    /// <param name="command">In whose name mistakes are told.</param>
    /// <param name="takesProjects">A project, or a folder that holds one, will do too.</param>
    public static (string? File, string[] Program) Read(string[] files, CommandWords words, string command, bool takesProjects = false)
    {
        if (Array.Find(files, file => file.StartsWith('-')) is { } unknown)
            throw CommandFailure.Usage($"{command} has no option {unknown}; skein {command} --help says which it has.");
        if (files.Length > 1)
        {
            throw CommandFailure.Usage(
                $"{command} takes one FILE, but '{files[1]}' follows '{files[0]}'. What belongs to the program stands after --.");
        }

        if (files is [var file])
            return (takesProjects && FindProject(file) is { } project ? project : RequireApplication(file, command, takesProjects), words.Program ?? []);
        if (takesProjects)
            throw CommandFailure.Usage($"{command} needs an application: APP.dll, a project or its folder, or FILE.cs. Other programs are served by a file of services: --config or --inetd.");
        if (words.Program is not [_, ..])
            throw CommandFailure.Usage($"{command} needs something to run: FILE.cs, APP.dll, or -- PROGRAM ARGS…");
        return (null, words.Program);
    }

    static string? FindProject(string path)
    {
        if (Application.IsProject(path) && File.Exists(path))
            return Path.GetFullPath(path);
        if (!Directory.Exists(path))
            return null;
        return Directory.GetFiles(path).Where(Application.IsProject).Order(StringComparer.Ordinal).ToArray() switch
        {
            [var only] => Path.GetFullPath(only),
            [] => throw new CommandFailure(ExitCode.NoInput, $"there is no project in the folder '{path}'."),
            var all => throw CommandFailure.Usage($"the folder '{path}' holds several projects: say which ({string.Join(", ", all.Select(Path.GetFileName))})."),
        };
    }

    static string RequireApplication(string file, string command, bool takesProjects)
    {
        if (!Application.IsSource(file) && !file.EndsWith(".dll", StringComparison.Ordinal))
        {
            throw CommandFailure.Usage(takesProjects
                ? $"{command} takes an APP.dll, a project or its folder, or a FILE.cs; '{file}' is none."
                : $"{command} takes a FILE.cs or an APP.dll; '{file}' is neither. A program stands after --: skein {command} -- {file} …");
        }

        if (!File.Exists(file))
            throw new CommandFailure(ExitCode.NoInput, $"there is no file '{file}'.");
        return Path.GetFullPath(file);
    }
}
