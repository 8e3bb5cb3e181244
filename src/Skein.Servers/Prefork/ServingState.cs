namespace Skein;

/// <summary>What a worker of a server is about.</summary>
enum ServingState
{
    /// <summary>Its application has not started yet.</summary>
    Starting,

    /// <summary>It could serve, but is not asked to: a spare, or a new version whose other workers are not ready.</summary>
    Ready,

    /// <summary>It accepts connections.</summary>
    Serving,

    /// <summary>It accepts none any more, and ends.</summary>
    Draining,

    Exited,
}

enum ServingEvent
{
    Started,
    Accept,
    Drain,
    Exit,
}

/// <summary>What follows what; what is not here changes nothing.</summary>
static class ServingStates
{
    static readonly Dictionary<(ServingState, ServingEvent), ServingState> Table = new()
    {
        [(ServingState.Starting, ServingEvent.Started)] = ServingState.Ready,
        [(ServingState.Ready, ServingEvent.Accept)] = ServingState.Serving,
        [(ServingState.Starting, ServingEvent.Drain)] = ServingState.Draining,
        [(ServingState.Ready, ServingEvent.Drain)] = ServingState.Draining,
        [(ServingState.Serving, ServingEvent.Drain)] = ServingState.Draining,
        [(ServingState.Starting, ServingEvent.Exit)] = ServingState.Exited,
        [(ServingState.Ready, ServingEvent.Exit)] = ServingState.Exited,
        [(ServingState.Serving, ServingEvent.Exit)] = ServingState.Exited,
        [(ServingState.Draining, ServingEvent.Exit)] = ServingState.Exited,
    };

    public static bool TryMove(ref ServingState state, ServingEvent happened)
    {
        if (!Table.TryGetValue((state, happened), out var next))
            return false;
        state = next;
        return true;
    }
}
