using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What is said of handlers that do not listen, or fail when they do.</summary>
static partial class InterruptionLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The handler of {What} goes on for longer than {Grace} after it was interrupted ({Cause}): it does not listen to its token. A thread cannot be killed; RunIn(Place.OsProcess) can.")]
    public static partial void Deaf(this ILogger logger, string what, TimeSpan grace, InterruptionCause? cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "What the handler of {What} has registered with its token failed when that was cancelled.")]
    public static partial void CallbackFailed(this ILogger logger, string what, Exception error);
}
