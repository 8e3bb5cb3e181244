using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.AspNetCore.Routing;

namespace Skein;

/// <summary>In a worker: a request as the features of which an <see cref="HttpContext"/> is made.</summary>
sealed class WorkerExchange : IHttpRequestLifetimeFeature, IHttpRequestBodyDetectionFeature, IHttpAuthenticationFeature, IDisposable
{
    readonly CancellationTokenSource _aborted;

    public WorkerExchange(IsolatedRequest request, WorkerResponse response, CancellationToken stopping)
    {
        _aborted = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        RequestAborted = _aborted.Token;
        CanHaveBody = request.ReadBody is not null || request.Body is { Length: > 0 };
        if (request.User is { } user)
            User = new(new BinaryReader(new MemoryStream(user)));

        var routes = new RouteValueDictionary();
        for (var at = 0; at < request.RouteValues.Length; at += 2)
            routes[request.RouteValues[at]] = request.RouteValues[at + 1];

        Features = new FeatureCollection(16);
        Features.Set<IHttpRequestFeature>(Described(request));
        Features.Set<IHttpRequestBodyDetectionFeature>(this);
        Features.Set<IHttpRequestLifetimeFeature>(this);
        Features.Set<IHttpAuthenticationFeature>(this);
        Features.Set<IHttpResponseFeature>(response);
        Features.Set<IHttpResponseBodyFeature>(response);
        Features.Set<IRouteValuesFeature>(new RouteValuesFeature { RouteValues = routes });
        Features.Set<IHttpRequestIdentifierFeature>(new HttpRequestIdentifierFeature { TraceIdentifier = request.Identifier });
        Features.Set<IHttpConnectionFeature>(new HttpConnectionFeature
        {
            RemoteIpAddress = Address(request.RemoteAddress),
            RemotePort = request.RemotePort,
            LocalIpAddress = Address(request.LocalAddress),
            LocalPort = request.LocalPort,
        });
    }

    public FeatureCollection Features { get; }

    public CancellationToken RequestAborted { get; set; }

    public bool CanHaveBody { get; }

    public ClaimsPrincipal? User { get; set; }

    /// <summary>The handler does not want its client to have an answer.</summary>
    public bool IsAborted { get; private set; }

    public void Abort()
    {
        IsAborted = true;
        _aborted.Cancel();
    }

    public void Dispose() => _aborted.Dispose();

    static HttpRequestFeature Described(IsolatedRequest request)
    {
        var headers = new HeaderDictionary(request.Headers.Length / 2);
        HeaderList.Set(headers, request.Headers);
        return new()
        {
            Protocol = request.Protocol,
            Scheme = request.Scheme,
            Method = request.Method,
            PathBase = request.PathBase,
            Path = request.Path,
            QueryString = request.Query,
            RawTarget = request.PathBase + request.Path + request.Query,
            Headers = headers,
            Body = request.ReadBody is { } read ? new RequestStream(read, request.Piece!) : request.Body is { Length: > 0 } body ? new MemoryStream(body, writable: false) : Stream.Null,
        };
    }

    static IPAddress? Address(byte[]? bytes) => bytes is null ? null : new(bytes);
}
