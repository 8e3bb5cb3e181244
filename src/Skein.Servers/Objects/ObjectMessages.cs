using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>What a server of objects says of them.</summary>
static partial class ObjectMessages
{
    [LoggerMessage(Level = LogLevel.Error, Message = "{Interface} '{Name}' could not be passivated. It stays active, and the next try comes when it is idle again.")]
    public static partial void NotPassivated(this ILogger logger, string @interface, string name, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Interface} '{Name}' was still at work, or could not be saved, when the server ended; what was changed since its last saving is not in the store.")]
    public static partial void LeftActive(this ILogger logger, string @interface, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Connection {Connection} is refused: the client has another secret.")]
    public static partial void ClientRefused(this ILogger logger, string connection);
}
