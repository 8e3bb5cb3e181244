using System.Runtime.Versioning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein;

/// <summary>Finds the session that a request's cookie names, and tells the client the id of a new one.</summary>
[SupportedOSPlatform("linux")]
sealed class SessionMiddleware(RequestDelegate next, SessionStoreClient store, SessionOptions options)
{
    public const string Cookie = "skein.session";

    SigningKey? _key;

    public async Task InvokeAsync(HttpContext context)
    {
        var session = await FindAsync(context).ConfigureAwait(false);
        context.Features.Set<ISessionFeature>(new Feature(session));
        context.Response.OnStarting(() => CommitAsync(context, session));
        try
        {
            await next(context).ConfigureAwait(false);
            await CommitAsync(context, session).ConfigureAwait(false);   // changed after the answer had begun, or there is none
        }
        finally
        {
            context.Features.Set<ISessionFeature>(null);
        }
    }

    // A name that is not ours, or whose session has ended, is never taken up: whoever holds it gets another.
    async Task<HttpSession> FindAsync(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is { } cookie)
        {
            var key = await KeyAsync(context.RequestAborted).ConfigureAwait(false);
            if (SessionId.Verify(cookie, options.Time.GetUtcNow(), options.Lifetime, key) is { } known
                && await store.GetAsync(known, context.RequestAborted).ConfigureAwait(false) is { } stored)
            {
                return new(store, options, known, stored);
            }
        }

        return new(store, options, SessionId.New(), null);
    }

    async Task CommitAsync(HttpContext context, HttpSession session)
    {
        var wasStored = session.IsStored;
        await session.CommitAsync(context.RequestAborted).ConfigureAwait(false);
        if (wasStored == session.IsStored || context.Response.HasStarted)
            return;
        var shape = new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, IsEssential = true };
        if (session.IsStored)
            context.Response.Cookies.Append(Cookie, SessionId.Sign(session.Id, options.Time.GetUtcNow(), await KeyAsync(context.RequestAborted).ConfigureAwait(false)), shape);
        else
            context.Response.Cookies.Delete(Cookie, shape);
    }

    async ValueTask<byte[]> KeyAsync(CancellationToken cancellation)
    {
        if (_key is { } known && known.Generation == store.Generation)
            return known.Bytes;
        var bytes = await store.KeyAsync(cancellation).ConfigureAwait(false);
        _key = new(store.Generation, bytes);
        return bytes;
    }

    sealed record SigningKey(int Generation, byte[] Bytes);

    sealed class Feature(ISession session) : ISessionFeature
    {
        public ISession Session { get; set; } = session;
    }
}
