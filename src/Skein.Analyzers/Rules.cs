using Microsoft.CodeAnalysis;

namespace Skein.Analyzers;

/// <summary>What is said about mobile functions while they are typed.</summary>
static class Rules
{
    const string Help = "docs/mobility.md";

    public static readonly DiagnosticDescriptor StaysBehind = Warning(
        "SKEIN001", "A local that cannot travel is alive where the function can move",
        "'{0}' is a {1}, which cannot travel, and is used after this wait: the process can neither move nor be stored here. Let go of it before, or ask each node for its own by Here.Resource.");

    public static readonly DiagnosticDescriptor HeldTask = Warning(
        "SKEIN002", "A task is held where the function can move",
        "'{0}' is a {1}, and is used after this wait: while it has not ended, the process can neither move nor be stored here. Await it before, or use Here.Restartable.");

    public static readonly DiagnosticDescriptor MutableStatic = Warning(
        "SKEIN003", "A mobile function uses a static field that changes",
        "'{0}' is static and does not travel: after a move this is another node's. Use a local, Here.Get and Here.Set, or Here.Resource.");

    public static readonly DiagnosticDescriptor Blocks = Warning(
        "SKEIN004", "A mobile function blocks on something asynchronous",
        "This blocks the thread, so that the process can neither move nor be stored, and may wait for itself. Await it.");

    static DiagnosticDescriptor Warning(string id, string title, string message) =>
        new(id, title, message, "Mobility", DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Help);
}
