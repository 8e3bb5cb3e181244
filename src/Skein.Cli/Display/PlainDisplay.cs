namespace Skein.Cli;

/// <summary>A line each ten seconds (with <c>--eta</c>, each second) for logs and pipes.</summary>
sealed class PlainDisplay(MapProgress progress, bool often) : MapDisplay
{
    protected override TimeSpan First => Each;

    protected override TimeSpan Each => TimeSpan.FromSeconds(often ? 1 : 10);

    protected override void Show() => Messages.Note(Line(progress, atEnd: false));

    protected override void End()
    {
    }

    /// <summary>The whole state in one line. At the end nothing is left, though not all may be done.</summary>
    public static string Line(MapProgress progress, bool atEnd)
    {
        var line = string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{progress.Done + progress.Skipped}{(progress.Total is { } total ? $" of {total}" : "")} done, {progress.Failed} failed, {progress.Rate:0.#}/s, {Duration.Format(progress.Elapsed)}");
        if (progress.Stopped > 0)
            line += $", {progress.Stopped} stopped";
        if (progress.Restarts is > 0 and var restarts)
            line += $", {restarts} {(restarts == 1 ? "worker" : "workers")} replaced";
        if (!atEnd && progress.Remaining is { } remaining && remaining > TimeSpan.Zero)
            line += $", about {Duration.Format(remaining)} left";
        return line;
    }
}
