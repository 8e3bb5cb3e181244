using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Skein.Tests.Servers;

/// <summary>What passes between an isolated handler and its client, at both ends of the way.</summary>
public class IsolatedExchangeTests
{
    [Fact]
    public async Task What_is_written_while_others_wait_for_a_slow_client_arrives_once_and_whole()
    {
        var reads = new TaskCompletionSource();
        var arrived = new List<byte>();
        using var response = new WorkerResponse(Callback.To<ResponsePart, Nothing>(async part =>
        {
            await reads.Task;
            lock (arrived)
                arrived.AddRange(part.Body);
            return default(Nothing);
        }));
        var buffer = (ResponseBuffer)response.Writer;
        await buffer.WriteAsync("one "u8.ToArray());
        var first = buffer.SendLaterAsync();
        await buffer.WriteAsync("two "u8.ToArray());
        var second = buffer.SendLaterAsync();   // its moment is over, and it waits for the first
        var memory = buffer.GetMemory(6);

        reads.SetResult();
        await Task.WhenAll(first, second).Within();
        "three "u8.CopyTo(memory.Span);
        buffer.Advance(6);
        var last = await response.EndAsync().Within();
        Assert.Equal("one two three ", Encoding.UTF8.GetString([.. arrived, .. last.Body]));
    }

    [Fact]
    public async Task A_client_that_waits_for_an_answer_before_it_sends_more_gets_it()
    {
        var body = new Pipe();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Features.Set<IRequestBodyPipeFeature>(new Body(body.Reader));
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        var exchange = new RequestExchange(context);
        var request = new IsolatedRequest
        {
            Endpoint = "",
            Method = "POST",
            Scheme = "http",
            PathBase = "",
            Path = "/",
            Query = "",
            Protocol = "HTTP/2",
            Identifier = "",
            Headers = [],
            RouteValues = [],
            Respond = exchange.Respond,
        };
        exchange.Take(request);
        var reading = request.ReadBody!.InvokeAsync(0).AsTask();

        await exchange.Respond.InvokeAsync(new() { Head = new() { Status = 200, Headers = [] }, Body = "ready"u8.ToArray() }).AsTask().Within();
        Assert.Equal("ready", Encoding.UTF8.GetString(answer.ToArray()));
        Assert.False(reading.IsCompleted);

        await body.Writer.WriteAsync("more"u8.ToArray());
        Assert.Equal(4, await reading.Within());
        await exchange.DisposeAsync();
    }

    sealed class Body(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
