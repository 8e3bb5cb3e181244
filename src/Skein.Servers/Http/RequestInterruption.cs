using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Stands before everything else: what a request is called, and what can end it. Its handler's token is cancelled when the client leaves,
/// by the server's time-out, by <c>POST /_skein/cancel/{id}</c> on any connection, and by TCP urgent data on its own.
/// </summary>
sealed class RequestInterruption(RequestDelegate next, NamedRequests named, HttpServerOptions options, TimeProvider time, ILogger logger)
{
    public const string Header = "Skein-Request-Id";
    const string CancelPath = "/_skein/cancel";
    const int Interrupted = 499;   // "client closed request", as nginx and ASP.NET Core have it

    /// <summary>A request that is named, or one that names another. Where nothing else can interrupt, only these are looked at.</summary>
    public static bool Concerns(HttpRequest request) => request.Headers.ContainsKey(Header) || request.Path.StartsWithSegments(CancelPath, StringComparison.Ordinal);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments(CancelPath, StringComparison.Ordinal, out var id))
            return CancelAsync(context, id.Value is ['/', .. var other] ? other : "");
        string? name = context.Request.Headers[Header];
        return name is null || NamedRequests.IsName(name) ? RunAsync(context, name) : Answer(context, StatusCodes.Status400BadRequest);
    }

    async Task CancelAsync(HttpContext context, string name)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await Answer(context, StatusCodes.Status405MethodNotAllowed).ConfigureAwait(false);
            return;
        }

        var outcome = await named.CancelAsync(name).ConfigureAwait(false);
        await Answer(context, outcome switch
        {
            CancelOutcome.Cancelled => StatusCodes.Status204NoContent,
            CancelOutcome.Unknown => StatusCodes.Status404NotFound,
            _ => StatusCodes.Status503ServiceUnavailable,
        }).ConfigureAwait(false);
        if (outcome == CancelOutcome.Unanswered)
            context.Response.Headers.RetryAfter = "1";
    }

    async Task RunAsync(HttpContext context, string? name)
    {
        var (method, path) = (context.Request.Method, context.Request.Path);   // the watch speaks while the handler has the context
        var interruption = new Interruption(new HandlerWatch(options.Timeout, options.DeafAfter, time, logger, () => $"{method} {path}"), context.RequestAborted);
        if (name is not null && !named.TryAdd(name, interruption))
        {
            interruption.End();
            await Answer(context, StatusCodes.Status409Conflict).ConfigureAwait(false);
            return;
        }

        var urgent = OperatingSystem.IsLinux() ? Listen(context, interruption) : null;
        context.RequestAborted = interruption.Token;
        context.Features.Set(interruption);
        try
        {
            await next(context).ConfigureAwait(false);
            if (interruption.Cause == InterruptionCause.TimedOut && context.Response is { HasStarted: false, StatusCode: Interrupted })
                context.Response.StatusCode = StatusCodes.Status504GatewayTimeout;   // the application's exception handler did not know why
        }
        catch (OperationCanceledException) when (interruption.Cause is not (null or InterruptionCause.ClientLeft))
        {
            await EndAsync(context, interruption).ConfigureAwait(false);
        }
        finally
        {
            if (OperatingSystem.IsLinux())
                urgent?.Forget(interruption);
            if (name is not null)
                named.Remove(name);
            interruption.End();
        }
    }

    static Task EndAsync(HttpContext context, Interruption interruption)
    {
        if (!context.Response.HasStarted)
            return Answer(context, interruption.Cause == InterruptionCause.TimedOut ? StatusCodes.Status504GatewayTimeout : Interrupted);
        context.Abort();   // half an answer must not look like a whole one
        return Task.CompletedTask;
    }

    static Task Answer(HttpContext context, int status)
    {
        context.Response.Clear();
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    [SupportedOSPlatform("linux")]
    static UrgentRequests? Listen(HttpContext context, Interruption interruption)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket
            || context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items
            || context.Features.Get<IConnectionLifetimeFeature>() is not { } lifetime)
        {
            return null;   // another server than Kestrel, or another transport than sockets
        }

        lock (items)
        {
            if (!items.TryGetValue(typeof(UrgentRequests), out var known))
                items[typeof(UrgentRequests)] = known = new UrgentRequests(socket, lifetime.ConnectionClosed);
            var requests = (UrgentRequests)known!;
            requests.Add(interruption);
            return requests;
        }
    }
}
