using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein;

/// <summary>Waits for a request's body before a thread is taken for it. It stays where it is: the handler reads it as usual.</summary>
static class RequestBody
{
    public static ValueTask ArriveAsync(HttpContext context, int limit) =>
        limit > 0 && MayBeAwaited(context) ? ReadAsync(context.Request, limit, context.RequestAborted) : default;

    // A client that talks and listens at once may send the rest of its body only after it has been answered. Over HTTP/2 it looks like
    // any other whose length is not known.
    static bool MayBeAwaited(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
        && (context.Request.ContentLength is not null || context.Request.Protocol == HttpProtocol.Http11)
        && context.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest != true;

    static async ValueTask ReadAsync(HttpRequest request, int limit, CancellationToken aborted)
    {
        var body = request.BodyReader;
        ReadResult read;
        do
        {
            read = await body.ReadAsync(aborted).ConfigureAwait(false);
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);   // seen, not taken
        }
        while (!read.IsCompleted && read.Buffer.Length < limit && !read.IsCanceled);
    }
}
