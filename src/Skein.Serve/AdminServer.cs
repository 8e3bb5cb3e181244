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

    /// <summary>The text format of Prometheus.</summary>
    static string Metrics(PreforkMaster master)
    {
        var text = new StringBuilder();
        foreach (var measure in PreforkMeasure.Of(master))
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {measure.Name} {measure.Help}\n# TYPE {measure.Name} {(measure.IsCounter ? "counter" : "gauge")}\n");
            foreach (var (of, value) in measure.Values())
                text.Append(CultureInfo.InvariantCulture, $"{measure.Name}{(of is null ? "" : $"{{{measure.Label}=\"{of}\"}}")} {value}\n");
        }

        return text.ToString();
    }
}
