using Skein.Bench.Channels;
using Skein.Bench.Mobility;
using Skein.Bench.Servers;

namespace Skein.Bench.Experiments;

/// <summary>The experiments, in the order of the results.</summary>
static class Catalog
{
    static readonly Func<Scale, Experiment>[] Makers =
    [
        RoundTrip.Busy,
        RoundTrip.Rested,
        Tasks.Create,
        MapInts.Create,
        Megabyte.Create,
        FirstResult.Cold,
        FirstResult.Spare,
        Kill.Create,
        IdleMemory.Create,
        MapPrograms.Create,
        Codec.Time,
        Codec.Size,
        MobileFunctions.Call,
        MobileFunctions.Yield,
        MobileFunctions.Move,
        MobileImages.Small,
        MobileImages.Size,
        MobileImages.Large,
        MobileImages.LargeSize,
        MobileParked.Memory,
        .. OperatingSystem.IsLinux() ? [Hops.RoundTrip, Hops.Throughput, FirstHop.Create, DurableSteps.Create] : (Func<Scale, Experiment>[])[],
        .. OperatingSystem.IsLinux() ? [RingExperiments.Latency, RingExperiments.Throughput, ObjectCalls.Create] : (Func<Scale, Experiment>[])[],
        Sessions.Memory,
        Sessions.Use,
        .. OperatingSystem.IsLinux() ? [UrgentInterruption.Create, SuperServers.Create] : (Func<Scale, Experiment>[])[],
        IsolatedEndpoints.Throughput,
        IsolatedEndpoints.Latency,
        BlockingHandlers.Cold,
        BlockingHandlers.Warm,
        BlockingHandlers.OtherRoute,
        Overload.Goodput,
        Overload.Refusal,
        SlowClients.Create,
        HelloServers.Prefork,
        HelloServers.Dispatcher,
        WorkerKill.Create,
        Replicas.Stalls,
        Replicas.Cost,
    ];

    /// <summary>Those that the README shows a row of: one screen.</summary>
    public static IReadOnlyList<string> Headlines { get; } =
    [
        "round-trip", "tasks", "map", "megabyte", "first-result", "kill", "map-programs", "codec", "mobile-call", "durable-steps", "super-server",
        "isolated", "overload", "prefork", "replicas",
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All(new Scale(1)).Select(experiment => experiment.Name)];

    public static IEnumerable<Experiment> All(Scale scale) => Makers.Select(create => create(scale));
}
