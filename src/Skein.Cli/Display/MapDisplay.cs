namespace Skein.Cli;

/// <summary>Shows how far a map is, on standard error: a live picture on a terminal, now and then a plain line elsewhere.</summary>
abstract class MapDisplay : IDisposable
{
    readonly ManualResetEventSlim _ended = new();
    Thread? _thread;

    /// <summary>The display that fits standard error and the options, already running.</summary>
    public static MapDisplay Start(MapProgress progress, MapRequest request)
    {
        MapDisplay display = Messages.Coloured || (StandardStream.Error.IsTerminal && Environment.GetEnvironmentVariable("TERM") != "dumb")
            ? new LiveDisplay(progress)
            : new PlainDisplay(progress, often: request.Eta);
        display._thread = new(display.Run) { IsBackground = true, Name = "display" };
        display._thread.Start();
        return display;
    }

    /// <summary>Until something is shown for the first time: what ends before that is not worth a picture.</summary>
    protected abstract TimeSpan First { get; }

    protected abstract TimeSpan Each { get; }

    protected abstract void Show();

    /// <summary>Takes away what would disturb what comes next.</summary>
    protected abstract void End();

    public void Dispose()
    {
        _ended.Set();
        _thread?.Join();
        _ended.Dispose();
        End();
    }

    void Run()
    {
        try
        {
            for (var wait = First; !_ended.Wait(wait); wait = Each)
                Show();
        }
        catch (CommandFailure)
        {
            // Nobody reads standard error any more; the jobs go on.
        }
    }
}
