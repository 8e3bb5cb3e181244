using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace Skein;

/// <summary>In the application: sends the requests of an isolated endpoint to its workers, and their answers to the clients.</summary>
sealed class RequestForwarder(string endpoint, EndpointWorkers workers)
{
    const int ShortBody = 64 * 1024;   // is waited for and sent with its request: a client that sends slowly holds no worker

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await RequestBody.ArriveAsync(context, ShortBody).ConfigureAwait(false);
            var pool = await workers.PoolAsync().WaitAsync(context.RequestAborted).ConfigureAwait(false);
            await RunAsync(pool, context).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            throw new OperationCanceledException(context.RequestAborted);   // its client has gone, or it was interrupted; what ran was stopped, or killed
        }
        catch (PlaceException)
        {
            Answer(context, StatusCodes.Status503ServiceUnavailable);   // said when it happened
        }
    }

    async Task RunAsync(WorkerPool pool, HttpContext context)
    {
        var exchange = new RequestExchange(context);
        await using var ending = exchange.ConfigureAwait(false);
        IsolatedResponse response;
        try
        {
            var request = Describe(context, exchange);
            exchange.Take(request);
            response = await pool.RunAsync(new ValueTaskJob<IsolatedRequest, IsolatedResponse>(WorkerHost.RunAsync, request), context.RequestAborted).ConfigureAwait(false);
        }
        catch (ProcessLostException lost)
        {
            workers.Logger.WorkerLost(context.Request.Method, context.Request.Path, lost.Message);
            await RefuseAsync(StatusCodes.Status502BadGateway).ConfigureAwait(false);
            return;
        }
        catch (TimeoutException)
        {
            workers.Logger.TimedOut(context.Request.Method, context.Request.Path, pool.Options.TaskTimeout);
            await RefuseAsync(StatusCodes.Status504GatewayTimeout).ConfigureAwait(false);
            return;
        }
        catch (Exception error) when (error is PoolFullException or ObjectDisposedException)
        {
            await RefuseAsync(StatusCodes.Status503ServiceUnavailable).ConfigureAwait(false);
            return;
        }

        if (response.Fault is { } fault)
            throw fault.ToException();   // as if it had been thrown here: the application's own middleware answers it
        if (response.Aborted)
            context.Abort();
        else
            await exchange.EndAsync(response.Last).ConfigureAwait(false);

        async Task RefuseAsync(int status)
        {
            await exchange.CloseAsync().ConfigureAwait(false);   // what a lost worker had asked for may still be under way
            Answer(context, status);
        }
    }

    // Half an answer must not look like a whole one.
    static void Answer(HttpContext context, int status)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "1";
    }

    IsolatedRequest Describe(HttpContext context, RequestExchange exchange)
    {
        var (request, connection) = (context.Request, context.Connection);
        return new()
        {
            Endpoint = endpoint,
            Method = request.Method,
            Scheme = request.Scheme,
            PathBase = request.PathBase.Value ?? "",
            Path = request.Path.Value ?? "",
            Query = request.QueryString.Value ?? "",
            Protocol = request.Protocol,
            Identifier = context.TraceIdentifier,
            Headers = HeaderList.Of(request.Headers),
            RouteValues = [.. request.RouteValues.Where(pair => pair.Value is not null).SelectMany(pair => new[] { pair.Key, $"{pair.Value}" })],
            RemoteAddress = connection.RemoteIpAddress?.GetAddressBytes(),
            RemotePort = connection.RemotePort,
            LocalAddress = connection.LocalIpAddress?.GetAddressBytes(),
            LocalPort = connection.LocalPort,
            User = context.Features.Get<IHttpAuthenticationFeature>()?.User is { Identity.IsAuthenticated: true } user ? Written(user) : null,
            Respond = exchange.Respond,
        };
    }

    static byte[] Written(ClaimsPrincipal user)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        user.WriteTo(writer);
        writer.Flush();
        return bytes.ToArray();
    }
}
