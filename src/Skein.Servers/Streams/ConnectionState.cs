namespace Skein;

/// <summary>What a connection does now: the states of the machine that serves it.</summary>
public enum ConnectionState
{
    /// <summary>Client and server agree on their keys (TLS). No thread is taken.</summary>
    Securing,

    /// <summary>It waits for a thread, or for the loop.</summary>
    Queued,

    /// <summary>Code of its handler runs.</summary>
    Running,

    /// <summary>Its handler, or what comes before that, awaits bytes of the client.</summary>
    Reading,

    /// <summary>Its handler awaits that the client takes bytes.</summary>
    Writing,

    /// <summary>Its handler awaits something else: a timer, a database, another server.</summary>
    Waiting,

    /// <summary>Its handler has ended; the last bytes are on their way.</summary>
    Closing,
}

enum ConnectionEvent
{
    Secured,
    Received,
    TurnBegins,
    AwaitsInput,
    AwaitsRoom,
    AwaitsOther,
    HandlerEnds,
}

/// <summary>The machine as data: what is not in the table changes nothing.</summary>
static class ConnectionStates
{
    static readonly Dictionary<(ConnectionState, ConnectionEvent), ConnectionState> Table = new()
    {
        [(ConnectionState.Securing, ConnectionEvent.Secured)] = ConnectionState.Queued,
        [(ConnectionState.Securing, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,
        [(ConnectionState.Queued, ConnectionEvent.TurnBegins)] = ConnectionState.Running,
        [(ConnectionState.Queued, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,

        [(ConnectionState.Running, ConnectionEvent.Received)] = ConnectionState.Queued,
        [(ConnectionState.Reading, ConnectionEvent.Received)] = ConnectionState.Queued,
        [(ConnectionState.Writing, ConnectionEvent.Received)] = ConnectionState.Queued,
        [(ConnectionState.Waiting, ConnectionEvent.Received)] = ConnectionState.Queued,

        [(ConnectionState.Running, ConnectionEvent.AwaitsInput)] = ConnectionState.Reading,
        [(ConnectionState.Running, ConnectionEvent.AwaitsRoom)] = ConnectionState.Writing,
        [(ConnectionState.Running, ConnectionEvent.AwaitsOther)] = ConnectionState.Waiting,
        [(ConnectionState.Running, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,

        [(ConnectionState.Reading, ConnectionEvent.TurnBegins)] = ConnectionState.Running,
        [(ConnectionState.Writing, ConnectionEvent.TurnBegins)] = ConnectionState.Running,
        [(ConnectionState.Waiting, ConnectionEvent.TurnBegins)] = ConnectionState.Running,
        [(ConnectionState.Reading, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,   // its last step left the thread
        [(ConnectionState.Writing, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,
        [(ConnectionState.Waiting, ConnectionEvent.HandlerEnds)] = ConnectionState.Closing,
    };

    public static ConnectionState After(this ConnectionState state, ConnectionEvent happened) => Table.GetValueOrDefault((state, happened), state);
}
