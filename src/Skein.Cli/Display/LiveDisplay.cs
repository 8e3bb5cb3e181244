using System.Globalization;
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Skein.Cli;

/// <summary>
/// The picture on a terminal: a bar with the counts, and below it what runs, the longest first. Only this file and its thread load
/// Spectre.Console; a map that ends within a moment never does.
/// </summary>
sealed class LiveDisplay(MapProgress progress) : MapDisplay
{
    protected override TimeSpan First => TimeSpan.FromMilliseconds(300);

    protected override TimeSpan Each => TimeSpan.FromMilliseconds(200);

    protected override void Show()
    {
        var (rows, columns) = Size();
        var picture = Render(columns, rows);
        lock (Screen.Lock)
            Screen.Paint(picture);
    }

    protected override void End()
    {
        lock (Screen.Lock)
            Screen.Clear();
    }

    string Render(int columns, int rows)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = Messages.Coloured ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new Picture(text, columns - 1, rows), // the last column makes some terminals wrap
        });
        console.Profile.Capabilities.Unicode = true;
        console.Write(Head(columns - 1));
        console.Write(Jobs(columns - 1, Math.Clamp(rows - 3, 0, 12)));
        return text.ToString();
    }

    Grid Head(int width)
    {
        var counts = string.Create(CultureInfo.InvariantCulture, $"{progress.Done + progress.Skipped}{(progress.Total is { } total ? $"/{total}" : "")}");
        var grid = new Grid { Expand = false };
        var cells = new List<IRenderable>();
        if (progress.Total is > 0 and var all && width >= 60)
            cells.Add(Bar((progress.Done + progress.Skipped) / (double)all, Math.Min(30, width - 55)));
        cells.Add(new Markup($"[bold]{counts}[/]"));
        if (progress.Failed > 0)
            cells.Add(new Markup(string.Create(CultureInfo.InvariantCulture, $"[red]{progress.Failed} failed[/]")));
        cells.Add(new Markup(string.Create(CultureInfo.InvariantCulture, $"{progress.Rate:0.#}/s")));
        if (progress.Restarts is > 0 and var restarts && width >= 50)
            cells.Add(new Markup(string.Create(CultureInfo.InvariantCulture, $"[yellow]{restarts} replaced[/]")));
        cells.Add(new Markup(Duration.Format(progress.Elapsed)));
        if (progress.Remaining is { } remaining)
            cells.Add(new Markup($"[dim]{Duration.Format(remaining)} left[/]"));
        foreach (var _ in cells)
            grid.AddColumn(new GridColumn { NoWrap = true, Padding = new(0, 0, 2, 0) });
        grid.AddRow([.. cells]);
        return grid;
    }

    static Markup Bar(double share, int width)
    {
        var full = (int)Math.Round(Math.Clamp(share, 0, 1) * width);
        return new($"[green]{new string('━', full)}[/][dim]{new string('─', width - full)}[/]");
    }

    Rows Jobs(int width, int most)
    {
        var running = progress.Running.OrderBy(job => job.Started).ToList();
        var shown = running.Take(running.Count > most ? most - 1 : most).Select(job => (IRenderable)Row(job, width)).ToList();
        if (running.Count > shown.Count && most > 0)
            shown.Add(new Text($"          and {running.Count - shown.Count} more"));
        return new(shown);
    }

    static Text Row(RunningJob job, int width) =>
        new($"{Duration.Format(job.Elapsed),8}  {TerminalText.Fit(job.Job.Input, width - 10)}");

    static (int Rows, int Columns) Size()
    {
        Span<ushort> size = stackalloc ushort[4];
        return Native.WindowSize(2, 0x5413, size) == 0 && size[1] > 0 ? (size[0], size[1]) : (24, 80);
    }

    /// <summary>Spectre's own output asks the framework's console for its size, which then switches the terminal to another mode.</summary>
    sealed class Picture(TextWriter text, int width, int height) : IAnsiConsoleOutput
    {
        public TextWriter Writer => text;

        public bool IsTerminal => true;

        public int Width => width;

        public int Height => height;

        public void SetEncoding(Encoding encoding)
        {
            // Text has none.
        }
    }
}
