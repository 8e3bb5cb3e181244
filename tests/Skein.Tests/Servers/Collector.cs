using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Skein.Tests.Servers;

/// <summary>A collector of OTLP, over HTTP or gRPC: it keeps what it was sent.</summary>
sealed class Collector : IAsyncDisposable
{
    readonly ConcurrentQueue<Received> _spans = new(), _metrics = new();
    readonly WebApplication _application;

    Collector(WebApplication application) => _application = application;

    public string Url => _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public IReadOnlyList<Received> Spans => [.. _spans];

    public IReadOnlyList<Received> Metrics => [.. _metrics];

    public static async Task<Collector> StartAsync(bool isGrpc = false, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var collector = new Collector(builder.Build());
        collector._application.Run(isGrpc ? collector.CallAsync : collector.PostAsync);
        await collector._application.StartAsync().Within();
        return collector;
    }

    public Task HasAsync(Func<Collector, bool> condition, string what) =>
        Limits.Until(() => condition(this), () => $"{what}; the collector has\n{string.Join('\n', Spans.Concat(Metrics).Select(received => received.ToString()).Distinct())}", 20);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    async Task PostAsync(HttpContext context)
    {
        Assert.Equal("application/x-protobuf", context.Request.ContentType);
        Keep(context.Request.Path == "/v1/traces" ? _spans : context.Request.Path == "/v1/metrics" ? _metrics : throw new InvalidOperationException(context.Request.Path), await ReadAsync(context));
        context.Response.ContentType = "application/x-protobuf";
    }

    async Task CallAsync(HttpContext context)
    {
        var message = await ReadAsync(context);
        Assert.Equal((0, message.Length - 5), (message[0], BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(1))));
        Keep(context.Request.Path.Value!.EndsWith("TraceService/Export", StringComparison.Ordinal) ? _spans : _metrics, message[5..]);
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[5]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    static async Task<byte[]> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    // A request has resources (1), each with its attributes and scopes (2), each of those with spans or metrics (2).
    static void Keep(ConcurrentQueue<Received> kept, byte[] request)
    {
        foreach (var resource in Protobuf.Parts(request, 1))
        {
            var attributes = Protobuf.Attributes(Protobuf.Parts(resource, 1).Single(), 1);
            foreach (var part in Protobuf.Parts(resource, 2).SelectMany(scope => Protobuf.Parts(scope, 2)))
                kept.Enqueue(new(attributes["service.name"], attributes["service.instance.id"], part));
        }
    }
}

/// <summary>A span or a metric.</summary>
sealed record Received(string Service, string Instance, byte[] Message)
{
    const int SpanName = 5, SpanAttributes = 9, SpanStatus = 15, MetricName = 1, Points = 1, PointAttributes = 7;

    /// <summary>Of a span.</summary>
    public string Span => Encoding.UTF8.GetString(Protobuf.Parts(Message, SpanName).Single());

    public Dictionary<string, string> SpanTags => Protobuf.Attributes(Message, SpanAttributes);

    public bool HasFailed => Protobuf.Parts(Message, SpanStatus).Any(status => Protobuf.Fields(status).Any(part => part is (3, 2, _)));

    /// <summary>Of a metric.</summary>
    public string Metric => Encoding.UTF8.GetString(Protobuf.Parts(Message, MetricName).Single());

    /// <summary>What tells the values of a metric apart.</summary>
    public IEnumerable<Dictionary<string, string>> MetricTags => new[] { 5, 7, 9 }
        .SelectMany(kind => Protobuf.Parts(Message, kind)).SelectMany(data => Protobuf.Parts(data, Points))
        .Select(point => Protobuf.Attributes(point, PointAttributes));

    public override string ToString() => $"{Service} {Instance} {(Protobuf.Parts(Message, SpanName).FirstOrDefault() is { Length: < 100 } name ? Encoding.UTF8.GetString(name) : Metric)}";
}

/// <summary>As much of protobuf as it takes to look into messages.</summary>
static class Protobuf
{
    public static IEnumerable<byte[]> Parts(byte[] message, int number) => Fields(message).Where(field => field.Number == number && field.Bytes is not null).Select(field => field.Bytes!);

    public static Dictionary<string, string> Attributes(byte[] message, int number) => Parts(message, number).ToDictionary(
        pair => Encoding.UTF8.GetString(Parts(pair, 1).Single()),
        pair => Fields(Parts(pair, 2).Single()).Select(value => value.Bytes is { } text ? Encoding.UTF8.GetString(text) : $"{value.Value}").Single());

    public static IEnumerable<(int Number, long Value, byte[]? Bytes)> Fields(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Number(message, ref at);
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    yield return (number, Number(message, ref at), null);
                    break;
                case 1:
                    yield return (number, BitConverter.ToInt64(message, at), null);
                    at += 8;
                    break;
                case 2:
                    var length = (int)Number(message, ref at);
                    yield return (number, 0, message[at..(at + length)]);
                    at += length;
                    break;
                default:
                    yield return (number, BitConverter.ToInt32(message, at), null);
                    at += 4;
                    break;
            }
        }
    }

    static long Number(byte[] message, ref int at)
    {
        var number = 0L;
        for (var shift = 0; ; shift += 7)
        {
            number |= (long)(message[at] & 0x7f) << shift;
            if ((message[at++] & 0x80) == 0)
                return number;
        }
    }
}
