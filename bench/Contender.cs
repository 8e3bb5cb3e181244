namespace Skein.Bench;

/// <summary>
/// One who does the work: Skein with some options, or a peer with some settings. Started once, then asked for a figure in every
/// round; a figure is in the unit of the experiment. Whatever comes back is checked: a wrong payload is an exception, not a figure.
/// </summary>
abstract class Contender(string name, string settings) : IAsyncDisposable
{
    /// <summary>Short, for the rows of the table.</summary>
    public string Name { get; } = name;

    /// <summary>With which options it works; the defaults are said too.</summary>
    public string Settings { get; } = settings;

    /// <summary>Its version, known after <see cref="StartAsync"/>.</summary>
    public string? Version { get; protected set; }

    /// <summary>Why there is no figure although it works, such as "never: BrokenProcessPool".</summary>
    public string? Remark { get; protected set; }

    public virtual Task StartAsync() => Task.CompletedTask;

    /// <summary>Does the work once more. <see cref="double.PositiveInfinity"/>: it will never be done.</summary>
    public abstract Task<double> MeasureAsync();

    public abstract ValueTask DisposeAsync();
}

/// <summary>A contender that is one function of this program.</summary>
sealed class Local(string name, string settings, Func<Task<double>> measure) : Contender(name, settings)
{
    public override Task<double> MeasureAsync() => measure();

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
