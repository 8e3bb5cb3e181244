using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>
/// Stands before all other middleware: Kestrel has parsed the request, a thread of the server runs the rest. Slow clients hold no thread
/// while they send.
/// </summary>
sealed class RequestDispatcher(RequestDelegate next, HandlerThreads threads, HttpServerOptions options, TimeProvider time)
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
            return;   // its client left before it had sent all
        }

        using var request = new QueuedRequest(next, context, time, arrival, deadline);
        if (!threads.TryStart(request))
        {
            Refuse(context.Response);
            return;
        }

        if (!request.Completion.IsCompleted)
            request.Watch(threads);
        if (await request.Completion.ConfigureAwait(false) == RequestFate.TooLate)
            Refuse(context.Response);
    }

    void Refuse(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = ((long)Math.Ceiling(options.RetryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }
}
