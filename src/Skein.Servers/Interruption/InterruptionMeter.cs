using System.Diagnostics.Metrics;

namespace Skein;

/// <summary>What is counted of interruptions: instruments of the meter <c>Skein</c>.</summary>
static class InterruptionMeter
{
    static readonly Meter Meter = new("Skein");

    static readonly Counter<long> Interruptions =
        Meter.CreateCounter<long>("skein.server.interruptions", "{handler}", "Handlers that were interrupted, other than by their client's leaving.");

    static readonly Counter<long> Deaf =
        Meter.CreateCounter<long>("skein.server.handlers.deaf", "{handler}", "Handlers that went on for longer than the grace period after they were interrupted.");

    public static void Count(InterruptionCause cause) => Interruptions.Add(1, new KeyValuePair<string, object?>("cause", $"{cause}"));

    public static void CountDeaf(InterruptionCause? cause) => Deaf.Add(1, new KeyValuePair<string, object?>("cause", $"{cause}"));
}
