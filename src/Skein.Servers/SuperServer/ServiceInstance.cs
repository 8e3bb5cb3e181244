using System.Runtime.Versioning;

namespace Skein;

/// <summary>What serves one connection (or, with the socket of its service, many), from its start to its end.</summary>
[SupportedOSPlatform("linux")]
abstract class ServiceInstance(Source source)
{
    readonly long _began = TimeProvider.System.GetTimestamp();
    long? _asked;

    public Source Source { get; } = source;

    public TimeSpan Age => TimeProvider.System.GetElapsedTime(_began);

    /// <summary>How long it has been asked to end; null: it was not.</summary>
    public TimeSpan? Asked => _asked is { } asked ? TimeProvider.System.GetElapsedTime(asked) : null;

    public bool IsKilled { get; protected set; }

    /// <summary>Its process; null where it is a connection of a process that serves many.</summary>
    public virtual int? ProcessId => null;

    /// <summary>How long nothing went over its connection; null: that cannot be told, or it sees to it itself.</summary>
    public virtual TimeSpan? Idle => null;

    /// <summary>Asks it to end.</summary>
    public void Ask()
    {
        _asked ??= TimeProvider.System.GetTimestamp();
        OnAsk();
    }

    /// <summary>Ends it, and all that it started.</summary>
    public void Kill()
    {
        IsKilled = true;
        OnKill();
    }

    public abstract override string ToString();

    protected abstract void OnAsk();

    protected abstract void OnKill();
}
