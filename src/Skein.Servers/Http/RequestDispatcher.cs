using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>
/// Stands before all other middleware: Kestrel has parsed the request, a thread of the server runs the rest. Slow clients hold no thread
/// while they send.
/// </summary>
sealed class RequestDispatcher(RequestDelegate next, HandlerThreads? threads, RequestLimiter? limiter, HttpServerOptions options, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var arrival = time.GetTimestamp();
        var deadline = RequestDeadline.Of(context.Request.Headers, options.Deadline);
        try
        {
            await RequestBody.ArriveAsync(context, options.BodyBuffer).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            throw new OperationCanceledException(context.RequestAborted);   // its client left before it had sent all, or it was interrupted
        }

        if (limiter is null)
        {
            await RunAsync(context, arrival, deadline).ConfigureAwait(false);
            return;
        }

        if (!limiter.TryEnter(out var since))
        {
            Refuse(context.Response);
            return;
        }

        var isServed = false;
        try
        {
            isServed = await RunAsync(context, arrival, deadline).ConfigureAwait(false);
        }
        finally
        {
            limiter.Leave(since, isServed);
        }
    }

    /// <summary>True when the handler has run to its end.</summary>
    async Task<bool> RunAsync(HttpContext context, long arrival, TimeSpan? deadline)
    {
        if (threads is null)
        {
            await next(context).ConfigureAwait(false);   // Kestrel's own tasks
            return true;
        }

        using var request = new QueuedRequest(next, context, time, arrival, deadline);
        if (!threads.TryStart(request))
        {
            Refuse(context.Response);
            return false;
        }

        if (!request.Completion.IsCompleted)
            request.Watch(threads);
        var fate = await request.Completion.ConfigureAwait(false);
        if (fate == RequestFate.TooLate)
            Refuse(context.Response);
        else if (fate == RequestFate.Gone)
            throw new OperationCanceledException(context.RequestAborted);
        return fate == RequestFate.Served;
    }

    void Refuse(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = ((long)Math.Ceiling(options.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }
}
