namespace Skein;

/// <summary>What a running function can know of the process that it is.</summary>
public static partial class Here
{
    static readonly AsyncLocal<HereContext?> OnThread = new();

    /// <summary>Cancelled when this process, or the task that runs in it, is asked to stop. Outside of a process it never is.</summary>
    public static CancellationToken Stopping =>
        Resident.Current is { } process ? process.Stopping : OnThread.Value is { } thread ? thread.Stopping : WorkerProgram.Current is { } worker ? worker.Stopping : default;

    /// <summary>The id of this process; null outside of one.</summary>
    public static string? Id => Resident.Current?.Id ?? OnThread.Value?.Id ?? WorkerProgram.Current?.Id;

    internal static void Enter(HereContext context) => OnThread.Value = context;
}

/// <summary>What a process that is a thread knows of itself.</summary>
sealed record HereContext(string Id, CancellationToken Stopping);
