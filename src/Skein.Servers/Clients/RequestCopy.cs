using System.Net.Http.Headers;

namespace Skein;

/// <summary>Makes of one request as many as replicas are asked: a message can be on its way only once.</summary>
sealed class RequestCopy(HttpRequestMessage request, string? hostName)
{
    byte[]? _content;

    public static bool IsIdempotent(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Put || request.Method == HttpMethod.Delete
        || request.Method == HttpMethod.Options || request.Method == HttpMethod.Trace || request.Headers.Contains("Idempotency-Key");

    /// <summary>A body can be read once; to send it twice it must be kept.</summary>
    public async ValueTask KeepContentAsync(CancellationToken cancellation)
    {
        if (request.Content is { } content)
            _content = await content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
    }

    public HttpRequestMessage For(Replica replica)
    {
        var copy = new HttpRequestMessage(request.Method, replica.At(request.RequestUri ?? new("", UriKind.Relative)))
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = _content is null ? request.Content : new ByteArrayContent(_content),
        };
        Add(request.Headers, copy.Headers);
        if (_content is not null)
            Add(request.Content!.Headers, copy.Content!.Headers);
        copy.Headers.Host ??= hostName;
        foreach (var (name, value) in (IDictionary<string, object?>)request.Options)
            ((IDictionary<string, object?>)copy.Options)[name] = value;
        return copy;
    }

    static void Add(HttpHeaders from, HttpHeaders to)
    {
        foreach (var (name, values) in from.NonValidated)
            to.TryAddWithoutValidation(name, values);
    }
}
