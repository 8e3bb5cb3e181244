using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Skein;

/// <summary>
/// A client of SignalR, and so of Blazor Server, asks for an id first and then opens a WebSocket with it, by another connection, which may come
/// to another worker. That one does not know the id: it is taken off, and so the WebSocket begins a connection of its own, as for clients that
/// do not negotiate. All that lasts is counted: SignalR closes it as soon as the application is told to stop, which so must wait.
/// </summary>
sealed class NegotiatedSockets(IServiceProvider services, RequestCounts requests) : IStartupFilter
{
    const string Negotiate = "/negotiate";

    PathString[]? _hubs;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(following => context =>
        {
            if (!Hubs().Contains(context.Request.Path))
                return following(context);
            if (context.Request.Query.ContainsKey("id") && IsWebSocket(context.Request))
                context.Request.QueryString = QueryString.Create(context.Request.Query.Where(pair => pair.Key != "id"));
            return requests.InHubAsync(following(context));
        });
        next(app);
    };

    // HTTP/2 has another method for it.
    static bool IsWebSocket(HttpRequest request) =>
        request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase) || HttpMethods.IsConnect(request.Method);

    // The application has mapped all its endpoints when the first request comes.
    PathString[] Hubs() => _hubs ??=
    [
        .. (services.GetService<EndpointDataSource>()?.Endpoints ?? [])
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<NegotiateMetadata>() is not null && endpoint.RoutePattern.RawText?.EndsWith(Negotiate, StringComparison.Ordinal) == true)
            .Select(endpoint => new PathString("/" + endpoint.RoutePattern.RawText![..^Negotiate.Length].TrimStart('/'))),
    ];
}
