using System.Runtime.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>
/// Stands before the application: counts its requests, and while the worker drains it lets each connection end with its next answer, which
/// says so to the client (<c>Connection: close</c>, or GOAWAY). A client that is told loses nothing.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class RequestCounter(ServedApplication served) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(following => context => Invoke(following, context));
        next(app);
    };

    Task Invoke(RequestDelegate next, HttpContext context)
    {
        var began = served.Requests.RequestBegins();
        if (served.IsDraining)
            EndConnection(context);
        Task running;
        try
        {
            running = next(context);
        }
        catch
        {
            Fail(context, began);
            throw;
        }

        if (!running.IsCompletedSuccessfully)
            return EndAsync(running, context, began);
        End(context, began);
        return Task.CompletedTask;
    }

    async Task EndAsync(Task running, HttpContext context, long began)
    {
        try
        {
            await running.ConfigureAwait(false);
        }
        catch
        {
            Fail(context, began);
            throw;
        }

        End(context, began);
    }

    // Kestrel answers for what the application throws; and where its client has left, nobody does.
    void Fail(HttpContext context, long began)
    {
        var status = context.RequestAborted.IsCancellationRequested ? StatusCodes.Status499ClientClosedRequest
            : context.Response.HasStarted ? context.Response.StatusCode : StatusCodes.Status500InternalServerError;
        Tell(context, status, began);
        served.Requests.RequestEnds(began, failed: true);
    }

    void End(HttpContext context, long began)
    {
        Tell(context, context.Response.StatusCode, began);
        served.Requests.RequestEnds(began, context.Response.StatusCode >= StatusCodes.Status500InternalServerError);
        if (served.IsDraining && !context.Response.HasStarted)
            EndConnection(context);   // what has been told that the connection stays must be able to use it
    }

    void Tell(HttpContext context, int status, long began)
    {
        served.AccessLog?.Add(context, status, TimeProvider.System.GetElapsedTime(began));
        if (served.Settings.Collector is not null)
            RequestSpan.Describe(context, status);
    }

    static void EndConnection(HttpContext context) => context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
}
