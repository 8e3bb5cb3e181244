using System.Collections.Concurrent;
using System.Runtime.Versioning;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// Stands before everything else: what a request is called, and what can end it. Its handler's token is cancelled when the client leaves,
/// by the server's time-out, by <c>POST /_skein/cancel/{id}</c> on any connection, and by TCP urgent data on its own.
/// </summary>
sealed class RequestInterruption(RequestDelegate next, HttpServerOptions options, TimeProvider time, ILogger logger)
{
    public const string Header = "Skein-Request-Id";
    const string CancelPath = "/_skein/cancel";
    const int LeastDigits = 32, MostDigits = 128;   // at least 128 bits: nobody guesses them
    const int Interrupted = 499;   // "client closed request", as nginx and ASP.NET Core have it

    readonly ConcurrentDictionary<string, Interruption> _named = new(StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments(CancelPath, StringComparison.Ordinal, out var id))
            return Answer(context, Cancel(context.Request.Method, id.Value));
        string? name = context.Request.Headers[Header];
        return name is null || IsName(name) ? RunAsync(context, name) : Answer(context, StatusCodes.Status400BadRequest);
    }

    static bool IsName(string name) => name.Length is >= LeastDigits and <= MostDigits && name.All(char.IsAsciiHexDigit);

    int Cancel(string method, string? id)
    {
        if (!HttpMethods.IsPost(method))
            return StatusCodes.Status405MethodNotAllowed;
        if (id is not ['/', .. var name] || !_named.TryGetValue(name, out var interruption))
            return StatusCodes.Status404NotFound;
        interruption.Interrupt(InterruptionCause.Cancelled);
        return StatusCodes.Status204NoContent;
    }

    async Task RunAsync(HttpContext context, string? name)
    {
        var interruption = new Interruption(
            new HandlerWatch(options.Timeout, options.DeafAfter, time, logger, () => $"{context.Request.Method} {context.Request.Path}"), context.RequestAborted);
        if (name is not null && !_named.TryAdd(name, interruption))
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
                _named.TryRemove(name, out _);
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
