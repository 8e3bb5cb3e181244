using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Skein.Serve;

/// <summary>Health and metrics of the server, on an address of their own: they answer also when no worker does.</summary>
sealed class AdminServer : IAsyncDisposable
{
    readonly WebApplication? _application;

    AdminServer(WebApplication? application) => _application = application;

    /// <param name="socket">Null: nothing is asked for.</param>
    public static async Task<AdminServer> StartAsync(PreforkMaster master, ListeningSocket? socket)
    {
        if (socket is null)
            return new(null);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)socket.Descriptor));
        var application = builder.Build();
        application.Run(context => AnswerAsync(context, master));
        await application.StartAsync().ConfigureAwait(false);
        return new(application);
    }

    public ValueTask DisposeAsync() => _application?.DisposeAsync() ?? default;

    static Task AnswerAsync(HttpContext context, PreforkMaster master)
    {
        var (status, text) = context.Request.Path.Value switch
        {
            "/health/live" => (HttpStatusCode.OK, "alive\n"),
            "/health/ready" => master.IsReady ? (HttpStatusCode.OK, "ready\n") : (HttpStatusCode.ServiceUnavailable, $"{master.Answering} of {master.Wanted} workers serve\n"),
            "/metrics" => (HttpStatusCode.OK, Metrics(master)),
            _ => (HttpStatusCode.NotFound, "/health/live, /health/ready and /metrics are here\n"),
        };
        context.Response.StatusCode = (int)status;
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>The text format of Prometheus. What counts up goes on when workers are replaced.</summary>
    static string Metrics(PreforkMaster master)
    {
        var text = new StringBuilder();
        var processes = master.Processes;
        var total = master.Total;
        Add("skein_workers_wanted", "gauge", "Workers that should serve.", [("", master.Wanted)]);
        Add("skein_workers", "gauge", "Workers by state.", Enum.GetValues<ServingState>().Where(state => state != ServingState.Exited)
            .Select(state => ($"{{state=\"{state.ToString().ToLowerInvariant()}\"}}", (double)processes.Count(process => process.State == state))));
        Add("skein_worker_crashes_total", "counter", "Workers that ended by themselves, or had to be killed.", [("", master.Crashes)]);
        Add("skein_requests_total", "counter", "Requests that were answered.", [("", total.Requests)]);
        Add("skein_requests_failed_total", "counter", "Of those, the ones answered with a status of 500 or more.", [("", total.Failed)]);
        Add("skein_request_seconds_total", "counter", "Time that all requests together took.", [("", total.Microseconds / 1e6)]);
        Add("skein_requests_active", "gauge", "Requests that are worked on.", Of(process => process.Beat.Active));
        Add("skein_connections", "gauge", "Open connections.", Of(process => process.Beat.Connections));
        Add("skein_worker_heap_bytes", "gauge", "Memory of the collector's heap.", Of(process => process.Beat.Heap));
        Add("skein_worker_resident_bytes", "gauge", "Physical memory.", Of(process => process.ResidentBytes));
        Add("skein_worker_processor_seconds_total", "counter", "Processor time.", Of(process => process.ProcessorTime.TotalSeconds));
        return text.ToString();

        IEnumerable<(string, double)> Of(Func<ServingProcess, double> value) => processes.Select(process => ($"{{worker=\"{process.Id}\"}}", value(process)));

        void Add(string name, string type, string help, IEnumerable<(string Labels, double Value)> values)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
            foreach (var (labels, value) in values)
                text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value}\n");
        }
    }
}
