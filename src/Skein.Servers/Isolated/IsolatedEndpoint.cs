using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Skein;

/// <summary>What an isolated endpoint is called, the same in the application and in its workers: metadata of the endpoint.</summary>
sealed record IsolatedEndpoint(string Key)
{
    static int _lastGroup;

    /// <summary>The application's Main is the same in both, so calls of RunIn have the same numbers.</summary>
    public static int NextGroup() => Interlocked.Increment(ref _lastGroup);

    public static string KeyOf(int group, EndpointBuilder endpoint)
    {
        var methods = endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault()?.HttpMethods ?? [];
        var route = (endpoint as RouteEndpointBuilder)?.RoutePattern.RawText;
        return $"{group} {string.Join(',', methods)} {route} {endpoint.DisplayName}";
    }
}
