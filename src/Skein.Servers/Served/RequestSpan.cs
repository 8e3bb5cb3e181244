using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Skein;

/// <summary>What is said of a request in its trace, by the conventions of OpenTelemetry. What the application, or the framework, has said stays.</summary>
static class RequestSpan
{
    public static void Describe(HttpContext context, int status)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } span)
            return;
        var request = context.Request;
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        if (span.DisplayName == span.OperationName)
            span.DisplayName = route is null ? request.Method : $"{request.Method} {route}";
        Add("http.request.method", request.Method);
        Add("http.route", route);
        Add("http.response.status_code", status);
        Add("url.scheme", request.Scheme);
        Add("url.path", (request.PathBase + request.Path).Value);
        Add("server.address", request.Host.Host);
        Add("client.address", context.Connection.RemoteIpAddress?.ToString());
        Add("network.protocol.version", request.Protocol.Split('/')[^1]);
        if (status < StatusCodes.Status500InternalServerError)
            return;
        Add("error.type", $"{status}");
        if (span.Status == ActivityStatusCode.Unset)
            span.SetStatus(ActivityStatusCode.Error);

        void Add(string name, object? value)
        {
            if (value is not null && span.GetTagItem(name) is null)
                span.SetTag(name, value);
        }
    }
}
