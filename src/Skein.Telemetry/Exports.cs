using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Skein.Telemetry;

/// <summary>Sends what this process measures and traces to a collector, by OTLP, until it is disposed of; then what is left.</summary>
/// <remarks>Its parameters are types of the framework, for whoever starts it sees no others of ours: see <c>TelemetryContext</c>.</remarks>
public sealed class Exports : IDisposable
{
    const int GrpcPort = 4317;   // by the standard; http has 4318
    const int LastMilliseconds = 2000;

    /// <summary>Those of the framework that are about a server; all of Skein's.</summary>
    static readonly string[] Sources = ["Microsoft.AspNetCore", "Skein*"],
        Meters = ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Skein*"];

    readonly CollectorConnection _connection;
    readonly TracerProvider _traces;
    readonly MeterProvider _metrics;

    Exports(ResourceBuilder resource, Action<OtlpExporterOptions, string> configure, CollectorConnection connection)
    {
        _connection = connection;
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource([.. Sources, .. Additional("OTEL_DOTNET_AUTO_TRACES_ADDITIONAL_SOURCES")])
            .AddOtlpExporter(options => configure(options, "v1/traces"))
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter([.. Meters, .. Additional("OTEL_DOTNET_AUTO_METRICS_ADDITIONAL_SOURCES")])
            .AddOtlpExporter(options => configure(options, "v1/metrics"))
            .Build();
    }

    /// <param name="service">The name of the service, unless <c>OTEL_SERVICE_NAME</c> gives another.</param>
    /// <param name="instance">The name of this process in it.</param>
    /// <param name="collector">Where the collector is; null: where the standard's environment variables say.</param>
    /// <param name="say">Is told once when nothing can be sent, and when it can again; null: nobody wants to know.</param>
    public static IDisposable Start(string service, string instance, Uri? collector, Action<string>? say)
    {
        // What the environment says comes last, and counts.
        var resource = ResourceBuilder.CreateEmpty().AddService(service, serviceInstanceId: instance).AddTelemetrySdk().AddEnvironmentVariableDetector();
        var connection = new CollectorConnection(say);
        return new Exports(resource, Configure, connection);

        void Configure(OtlpExporterOptions options, string path)
        {
            options.HttpClientFactory = () => new(connection, disposeHandler: false) { Timeout = TimeSpan.FromMilliseconds(options.TimeoutMilliseconds) };
            if (collector is null)
                return;
            if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL") is null)
                options.Protocol = collector.Port == GrpcPort ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
            options.Endpoint = options.Protocol == OtlpExportProtocol.HttpProtobuf ? new($"{collector.AbsoluteUri.TrimEnd('/')}/{path}") : collector;
        }
    }

    /// <summary>Waits for a collector that does not answer no longer than a moment.</summary>
    public void Dispose()
    {
        Parallel.Invoke(() => _traces.Shutdown(LastMilliseconds), () => _metrics.Shutdown(LastMilliseconds));
        _traces.Dispose();
        _metrics.Dispose();
        _connection.Dispose();
    }

    // By the names that the automatic instrumentation of .NET gives them.
    static string[] Additional(string variable) =>
        Environment.GetEnvironmentVariable(variable)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
