using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections;

namespace Skein;

/// <summary>The handler of one connection, from its beginning to its end, whoever runs it.</summary>
[SupportedOSPlatform("linux")]
sealed class ConnectionTask(StreamConnection connection, ConnectionDelegate handler, Action<Exception?> ended) : HandlerTask
{
    public override void TurnBegins(HandlerThread thread) => connection.TurnBegins(thread);

    public override void TurnEnds() => connection.TurnEnds();

    public override async Task RunAsync()
    {
        Exception? fault = null;
        try
        {
            if (!connection.HasGone)
                await handler(connection).ConfigureAwait(true);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && connection.HasGone)
        {
            // Its client has left: that is no failure of the handler.
        }
        catch (OperationCanceledException) when (connection.Interruption.Cause is { } cause)
        {
            connection.Abort(new($"Its handler was interrupted ({cause})."));   // as it was to; what it has sent is no whole answer
        }
        catch (Exception error)
        {
            fault = error;
        }

        ended(fault);
    }
}
