using Microsoft.Extensions.Logging;

namespace Skein;

static partial class SuperServerMessages
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Service {Service} listens on {EndPoint}.")]
    public static partial void Listens(this ILogger logger, string service, string endPoint);

    [LoggerMessage(Level = LogLevel.Information, Message = "Service {Service} is closed.")]
    public static partial void ServiceClosed(this ILogger logger, string service);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Service {Service} serves {Source} by process {Process}.")]
    public static partial void Serves(this ILogger logger, string service, string source, int process);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service} has refused {Count} connections; the last of {Source}: {Reason}.")]
    public static partial void ConnectionsRefused(this ILogger logger, string service, long count, string source, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service} is paused for {Pause}: more than {Count} came within {Per}.")]
    public static partial void Paused(this ILogger logger, string service, TimeSpan pause, int count, TimeSpan per);

    [LoggerMessage(Level = LogLevel.Error, Message = "Service {Service} is disabled for {Pause}: {Reason}")]
    public static partial void Disabled(this ILogger logger, string service, TimeSpan pause, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Service {Service} is tried again.")]
    public static partial void TriedAgain(this ILogger logger, string service);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service} can serve nobody now ({Reason}); the next try is in {Pause}.")]
    public static partial void Exhausted(this ILogger logger, string service, string reason, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service}: {What} is ended: {Reason}.")]
    public static partial void Ended(this ILogger logger, string service, string what, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service}: {What} did not end in {Grace} and is killed.")]
    public static partial void Killed(this ILogger logger, string service, string what, TimeSpan grace);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service}: a worker was lost, with {Connections} connections. {Reason}")]
    public static partial void WorkerLost(this ILogger logger, string service, int connections, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The super-server goes on, but this should not have happened; please report it.")]
    public static partial void ShouldNotHaveHappened(this ILogger logger, Exception error);
}
