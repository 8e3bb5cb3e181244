using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What a server says of its connections.</summary>
static partial class ServerMessages
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The handler of connection {Connection} failed; the connection is aborted, others go on.")]
    public static partial void HandlerFailed(this ILogger logger, string connection, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The handler of connection {Connection} has kept the event loop's thread for {Length}, and all other connections wait. Await instead of blocking, or choose ServerModel.Dispatcher.")]
    public static partial void LoopBlocked(this ILogger logger, string connection, TimeSpan length);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Connection {Connection} is refused: all threads are busy, and the queue is full.")]
    public static partial void Refused(this ILogger logger, string connection);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Connection {Connection} could not be secured: {Reason}")]
    public static partial void NotSecured(this ILogger logger, string connection, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No connection can be accepted ({Error}); the next try is in {Pause}.")]
    public static partial void AcceptPaused(this ILogger logger, string error, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Error, Message = "The handler of connection {Connection} did not stop when its token was cancelled. A thread cannot be killed: it goes on, abandoned.")]
    public static partial void Abandoned(this ILogger logger, string connection);

    [LoggerMessage(Level = LogLevel.Error, Message = "A worker was lost, with its connections; another takes its place in {Pause}. {Reason}")]
    public static partial void AcceptingWorkerLost(this ILogger logger, string reason, TimeSpan pause);

    [LoggerMessage(Message = "Worker {Worker}: {Text}")]
    public static partial void WorkerWarns(this ILogger logger, LogLevel level, int worker, string text);
}
