using System.Runtime.Versioning;

namespace Skein;

/// <summary>A connection that a handler serves.</summary>
[SupportedOSPlatform("linux")]
sealed class HandlerInstance(Source source, Action<HandlerInstance> ended) : ServiceInstance(source)
{
    /// <summary>The worker that has it; null: this process.</summary>
    public HandlerLink? Link { get; init; }

    /// <summary>Its number on the link.</summary>
    public ulong Number { get; init; }

    public void End() => ended(this);

    public override string ToString() => Link is null ? "a handler" : $"a handler in worker {Link.ProcessId}";

    // Whoever has the connection sees to its time; here is only the last resort.
    protected override void OnAsk()
    {
    }

    protected override void OnKill() => Link?.Kill();
}
