using System.Diagnostics.Metrics;
using System.Runtime.Versioning;

namespace Skein;

/// <summary>Something that is measured of a prefork server, for whoever asks.</summary>
/// <param name="Name">As in Prometheus: with its unit, and _total where it only grows.</param>
/// <param name="Label">What tells its values apart; null: there is one.</param>
[SupportedOSPlatform("linux")]
sealed record PreforkMeasure(string Name, string? Unit, string Help, string? Label, Func<IEnumerable<(string? Of, double Value)>> Values)
{
    const string Total = "_total";

    public bool IsCounter => Name.EndsWith(Total, StringComparison.Ordinal);

    /// <summary>All there are. What counts up goes on when workers are replaced, but for processor time, which is each worker's own.</summary>
    public static IReadOnlyList<PreforkMeasure> Of(PreforkMaster master)
    {
        return
        [
            One("skein_workers_wanted", null, "Workers that should serve.", () => master.Wanted),
            new("skein_workers", null, "Workers by state.", "state", () =>
            {
                var processes = master.Processes;
                return Enum.GetValues<ServingState>().Where(state => state != ServingState.Exited)
                    .Select(state => ((string?)state.ToString().ToLowerInvariant(), (double)processes.Count(process => process.State == state)));
            }),
            One("skein_worker_crashes_total", null, "Workers that ended by themselves, or had to be killed.", () => master.Crashes),
            One("skein_requests_total", null, "Requests that were answered.", () => master.Total.Requests),
            One("skein_requests_failed_total", null, "Of those, the ones answered with a status of 500 or more.", () => master.Total.Failed),
            One("skein_request_seconds_total", "s", "Time that all requests together took.", () => master.Total.Microseconds / 1e6),
            Each("skein_requests_active", null, "Requests that are worked on.", process => process.Beat.Active),
            Each("skein_connections", null, "Open connections.", process => process.Beat.Connections),
            Each("skein_worker_heap_bytes", "By", "Memory of the collector's heap.", process => process.Beat.Heap),
            Each("skein_worker_resident_bytes", "By", "Physical memory.", process => process.ResidentBytes),
            Each("skein_worker_processor_seconds_total", "s", "Processor time.", process => process.ProcessorTime.TotalSeconds),
        ];

        static PreforkMeasure One(string name, string? unit, string help, Func<double> value) => new(name, unit, help, null, () => [(null, value())]);

        PreforkMeasure Each(string name, string? unit, string help, Func<ServingProcess, double> value) =>
            new(name, unit, help, "worker", () => master.Processes.Select(process => ((string?)process.Id, value(process))));
    }

    /// <summary>The same as instruments of the framework, until the meter is disposed of: with dots, as names are there, and without _total.</summary>
    public static Meter Publish(PreforkMaster master)
    {
        var meter = new Meter("Skein.Serve");
        foreach (var measure in Of(master))
        {
            var name = (measure.IsCounter ? measure.Name[..^Total.Length] : measure.Name).Replace('_', '.');
            if (measure.IsCounter)
                meter.CreateObservableCounter(name, measure.Measurements, measure.Unit, measure.Help);
            else
                meter.CreateObservableGauge(name, measure.Measurements, measure.Unit, measure.Help);
        }

        return meter;
    }

    IEnumerable<Measurement<double>> Measurements() =>
        Values().Select(value => Label is null ? new Measurement<double>(value.Value) : new(value.Value, new KeyValuePair<string, object?>(Label, value.Of)));
}
