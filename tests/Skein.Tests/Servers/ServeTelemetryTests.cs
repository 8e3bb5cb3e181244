using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Skein.Tests.Servers;

/// <summary>What a collector of OpenTelemetry is sent, and what the application is spared.</summary>
public class ServeTelemetryTests
{
    [Fact]
    public async Task Requests_and_metrics_of_master_and_workers_come_to_a_collector_and_an_application_keeps_its_own_OpenTelemetry_or_none()
    {
        await using var collector = await Collector.StartAsync();
        await using var app = await StartAsync(new(), "--workers", "1", "--otlp", collector.Url, "--", "own-telemetry");
        Assert.Equal("none", await app.GetAsync("/telemetry"));
        await Assert.ThrowsAsync<HttpRequestException>(() => app.GetAsync("/throw"));
        await collector.HasAsync(
            c => c.Spans.Any(span => span is { Span: "GET /telemetry", HasFailed: false } && span.Service == app.Id && span.Instance == $"{app.Id}.1"
                && span.SpanTags is var tags && tags["http.response.status_code"] == "200" && tags["url.path"] == "/telemetry" && tags["http.route"] == "/telemetry"),
            "the request that was answered");
        await collector.HasAsync(c => c.Spans.Any(span => span is { Span: "GET /throw", HasFailed: true } && span.SpanTags["error.type"] == "500"), "the request that failed");
        await collector.HasAsync(c => c.Metrics.Any(metric => metric.Metric == "http.server.request.duration" && metric.Instance == $"{app.Id}.1"), "the worker's requests");
        await collector.HasAsync(c => c.Metrics.Any(metric => metric.Metric == "skein.requests" && metric.Service == app.Id && metric.Instance == app.Id), "the master's count of requests");
        await collector.HasAsync(c => c.Metrics.Any(metric => metric.Metric == "skein.workers" && metric.MetricTags.Any(tags => tags["state"] == "serving")), "the master's count of workers");

        var next = app.AddRelease("next");
        CSharpCompilation.Create(
            "OpenTelemetry",
            [CSharpSyntaxTree.ParseText("[assembly: System.Reflection.AssemblyVersion(\"99.0.0.0\")]", cancellationToken: CancellationToken.None)],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new(OutputKind.DynamicallyLinkedLibrary)).Emit(Path.Combine(next, "OpenTelemetry.dll"), cancellationToken: CancellationToken.None);
        await app.PointAtAsync(next);
        await app.ReloadAsync();

        await app.GetAsync("/");   // maybe the last of the old version
        Assert.Equal("99.0.0.0", await app.GetAsync("/telemetry"));
        await collector.HasAsync(c => c.Spans.Any(span => span.Span == "GET /telemetry" && span.Instance == $"{app.Id}.2"), "the request of the next version");
        await collector.HasAsync(c => c.Spans.Any(span => span is { Span: "reload", HasFailed: false } && span.Instance == app.Id), "the reload");
    }

    [Fact]
    public async Task The_variables_of_the_standard_say_where_the_collector_is_and_how_the_service_is_called()
    {
        Assert.SkipUnless(Limits.Long, "a server is started for it: ./check --long");
        await using var collector = await Collector.StartAsync(isGrpc: true);
        await using var app = await StartAsync(
            new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url, ["OTEL_SERVICE_NAME"] = "shop" }, "--workers", "1", "--otlp", "env");
        await app.GetAsync("/version");
        await collector.HasAsync(c => c.Spans.Any(span => span is { Service: "shop", Span: "GET /version" }), "the request");
        await collector.HasAsync(c => c.Metrics.Any(metric => metric is { Service: "shop", Metric: "skein.requests" }), "the count");
    }

    [Fact]
    public async Task A_collector_that_is_not_there_is_named_once_and_holds_up_nothing()
    {
        Assert.SkipUnless(Limits.Long, "a server is started for it: ./check --long");
        var address = ServedApp.FreeAddress();
        await using var app = await StartAsync(new(), "--workers", "1", "--otlp", address);
        Assert.Equal("hello", await app.GetAsync("/"));
        await Limits.Until(() => app.Command.Error.Contains($"telemetry cannot be sent to {address}/v1/", StringComparison.Ordinal), () => app.Command.Error);

        await using var collector = await Collector.StartAsync(port: new Uri(address).Port);

        await collector.HasAsync(c => c.Metrics.Any(metric => metric.Metric == "skein.requests"), "what is sent once it is there");
        await Limits.Until(() => app.Command.Error.Contains("is sent to", StringComparison.Ordinal), () => app.Command.Error);
        Assert.Equal(2, app.Command.Error.Split("telemetry cannot be sent").Length);
    }

    static async Task<ServedApp> StartAsync(Dictionary<string, string> environment, params string[] options)
    {
        (environment["OTEL_METRIC_EXPORT_INTERVAL"], environment["OTEL_BSP_SCHEDULE_DELAY"]) = ("100", "50");
        var app = ServedApp.Begin(environment, options);
        try
        {
            await app.ServesAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
