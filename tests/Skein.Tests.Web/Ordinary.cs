using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http.Features;

namespace Skein.Tests.Web;

/// <summary>A service that the application configures.</summary>
sealed record Greeting(string Text);

/// <summary>Work of the application's own, which must not be done once more in each worker.</summary>
sealed class Announcement : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Console.WriteLine($"hosted service in {Environment.ProcessId}");
        return Task.CompletedTask;
    }
}

/// <summary>Middleware of the application: it finds out who the client is.</summary>
sealed class NameTag(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers["X-Name"].FirstOrDefault() is { } name)
            context.User = new(new ClaimsIdentity([new(ClaimTypes.Name, name)], "tag"));
        return next(context);
    }
}

/// <summary>Handlers as there are in any application.</summary>
static class Ordinary
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/hello", () => "hello");
        routes.MapGet("/process", () => $"{Environment.ProcessId}");
        routes.MapGet("/greet/{name}", (string name, Greeting greeting, string? mark) => $"{greeting.Text} {name}{mark}");
        routes.MapGet("/json/{number:int}", (int number) => Results.Json(new { number, square = number * number }, statusCode: 202));
        routes.MapPost("/echo", Echo);
        routes.MapPost("/count", (Delegate)Count);
        routes.MapGet("/bytes/{count:long}", Bytes);
        routes.MapGet("/events", Events);
        routes.MapGet("/context", Describe);
        routes.MapGet("/headers", Headers);
        routes.MapGet("/nothing", () => Results.NoContent());
    }

    static async Task Echo(HttpContext context)
    {
        context.Response.ContentType = context.Request.ContentType;
        await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    static async Task<string> Count(HttpContext context)
    {
        var (buffer, total) = (new byte[100_000], 0L);
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
            total += count;
        return total.ToString(CultureInfo.InvariantCulture);
    }

    static async Task Bytes(long count, HttpContext context)
    {
        var buffer = new byte[64 * 1024];
        for (var sent = 0L; sent < count; sent += buffer.Length)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count - sent)), context.RequestAborted);
            Faulty.Note("sent", sent.ToString(CultureInfo.InvariantCulture));
        }
    }

    // An event each time the test says go.
    static async Task Events(HttpContext context)
    {
        for (var number = 1; number <= 3; number++)
        {
            await context.Response.WriteAsync($"data: {number}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Faulty.WaitFor($"go{number}", context.RequestAborted);
        }
    }

    static string Describe(HttpContext context) => string.Join(
        ' ', context.Request.Scheme, context.Request.Method, context.Request.PathBase + context.Request.Path, context.Request.QueryString,
        context.User.Identity?.Name, context.GetEndpoint()!.DisplayName, context.Connection.RemoteIpAddress, context.Features.Get<IHttpRequestFeature>()!.Protocol);

    static void Headers(HttpContext context)
    {
        context.Response.Headers.Append("X-Two", "one");
        context.Response.Headers.Append("X-Two", "two");
        context.Response.Headers["X-Sent"] = context.Request.Headers["X-Many"].ToArray().Reverse().ToArray();
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["X-Starting"] = "yes";
            return Task.CompletedTask;
        });
        context.Response.StatusCode = 418;
    }
}
