using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What is said of isolated endpoints.</summary>
static partial class IsolationLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The workers of an isolated endpoint could not be started; its requests are answered 503 meanwhile. {Reason}")]
    public static partial void CannotStart(this ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The worker that ran {Method} {Path} is gone, and with it this request and no other: {Reason}")]
    public static partial void WorkerLost(this ILogger logger, string method, string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} {Path} took longer than its time-out ({Timeout}) and was ended.")]
    public static partial void TimedOut(this ILogger logger, string method, string path, TimeSpan? timeout);
}
