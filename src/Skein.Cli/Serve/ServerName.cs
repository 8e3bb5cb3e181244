namespace Skein.Cli;

/// <summary>The name by which a server is known, and its control socket.</summary>
sealed record ServerName(string Id, string Control)
{
    /// <summary>What <c>--id</c> says, else the name of what is served; the folder of its socket is made if need be.</summary>
    public static ServerName Take(IReadOnlyList<string> settings, string file)
    {
        var id = settings.LastOrDefault(setting => setting.StartsWith("id=", StringComparison.Ordinal))?[3..] ?? Path.GetFileNameWithoutExtension(file);
        if (id.Length == 0 || id.StartsWith('.') || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw CommandFailure.Usage($"a server's name has letters, digits, '.', '-' and '_'; '{id}' is none. --id gives another.");
        if (id.LastIndexOf('.') is > 0 and var dot && dot < id.Length - 1 && id.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9') < 0)
            throw CommandFailure.Usage($"a server's name does not end in a dot and digits, as a worker's does ({id[..dot]} has {id[..dot]}.1); '{id}' is none. --id gives another.");
        var control = RunFolder.OfServer(id);
        RunFolder.Make(control);
        return new(id, control);
    }

    /// <summary>As the serving program reads them.</summary>
    public IEnumerable<string> Settings => [$"id={Id}", $"control={Control}"];
}
