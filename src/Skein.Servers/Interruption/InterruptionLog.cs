using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What is said of handlers that do not listen.</summary>
static partial class InterruptionLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The handler of {What} goes on for longer than {Grace} after it was interrupted ({Cause}): it does not listen to its token. A thread cannot be killed; RunIn(Place.OsProcess) can.")]
    public static partial void Deaf(this ILogger logger, string what, TimeSpan grace, InterruptionCause? cause);
}
