namespace Skein.Cli;

/// <summary>What a command line of <c>skein map</c> asks for.</summary>
sealed record MapRequest
{
    /// <summary>Where <see cref="Function"/> is; null where a program is run for each input.</summary>
    public string? File { get; init; }

    public string? Function { get; init; }

    /// <summary>The program and its arguments, with their replacement strings.</summary>
    public required string[] Program { get; init; }

    /// <summary>Null: one a line on standard input.</summary>
    public string[]? Inputs { get; init; }

    public required RunLimits Limits { get; init; }

    public bool Json { get; init; }

    public int Jobs { get; init; }

    public int Retries { get; init; }

    public bool KeepGoing { get; init; }

    public required HaltRule Halt { get; init; }

    public string? JobLog { get; init; }

    public bool Resume { get; init; }

    public bool DryRun { get; init; }

    public bool Tag { get; init; }

    public bool Eta { get; init; }

    public bool Unordered { get; init; }
}
