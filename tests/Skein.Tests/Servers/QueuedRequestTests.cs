using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein.Tests.Servers;

/// <summary>A request on its way to a thread of the server.</summary>
public class QueuedRequestTests
{
    [Fact]
    public async Task A_request_that_a_thread_may_have_is_touched_by_nobody_else()
    {
        using var threads = new HandlerThreads(ServerModel.Dispatcher(threads: 1, queue: 1));
        using var left = new CancellationTokenSource();
        var context = new DefaultHttpContext { RequestAborted = left.Token };
        using var request = new QueuedRequest(static _ => Task.CompletedTask, context, TimeProvider.System, TimeProvider.System.GetTimestamp(), deadline: null);
        context.Features.Set<IHttpRequestLifetimeFeature>(new Untouchable());   // its thread may have it from here on

        request.Watch(threads);
        await request.RunAsync().Within();
        Assert.Equal(RequestFate.Served, await request.Completion.Within());
    }

    /// <summary>A context looks for its features without a lock: two threads that do so at once may find none.</summary>
    sealed class Untouchable : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted
        {
            get => throw new InvalidOperationException("Another thread has this request.");
            set => throw new InvalidOperationException("Another thread has this request.");
        }

        public void Abort() => throw new InvalidOperationException("Another thread has this request.");
    }
}
