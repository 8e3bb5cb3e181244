namespace Skein;

/// <summary>The states of a process.</summary>
public enum ProcessState
{
    /// <summary>It was asked for; its place prepares it.</summary>
    Starting,

    /// <summary>Its function runs.</summary>
    Running,

    /// <summary>It was asked to stop, and has until the end of its grace period.</summary>
    Stopping,

    /// <summary>It has ended: <see cref="Process{TResult}.Exited"/> says how.</summary>
    Exited,
}

/// <summary>What happens to a process.</summary>
enum ProcessEvent
{
    Started,
    AskedToStop,
    Ended,
}

/// <summary>The states and what leads from one to the next; what is not in the table changes nothing.</summary>
static class ProcessStates
{
    static readonly Dictionary<(ProcessState, ProcessEvent), ProcessState> Table = new()
    {
        [(ProcessState.Starting, ProcessEvent.Started)] = ProcessState.Running,
        [(ProcessState.Starting, ProcessEvent.AskedToStop)] = ProcessState.Stopping,
        [(ProcessState.Starting, ProcessEvent.Ended)] = ProcessState.Exited,
        [(ProcessState.Running, ProcessEvent.AskedToStop)] = ProcessState.Stopping,
        [(ProcessState.Running, ProcessEvent.Ended)] = ProcessState.Exited,
        [(ProcessState.Stopping, ProcessEvent.Ended)] = ProcessState.Exited,
    };

    public static ProcessState Next(this ProcessState state, ProcessEvent happened) => Table.GetValueOrDefault((state, happened), state);
}
