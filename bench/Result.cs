namespace Skein.Bench;

/// <summary>What one contender reached: the median of its rounds and their range, and how busy others kept the machine meanwhile.</summary>
/// <param name="Median">Null when it could not be measured; then the remark says why.</param>
sealed record Figure(
    string Name, string Settings, string? Version, double? Median, double Lowest, double Highest, double? Foreign, string? Remark)
{
    /// <summary>Above this the figure says as much about the others as about the contender.</summary>
    const double Disturbance = 0.25;

    public bool IsDisturbed => Foreign > Disturbance;
}

/// <summary>A row of the table, made of two figures and a goal.</summary>
/// <param name="Ratio">How many times better ours is; null when one of the two is missing or never got there.</param>
/// <param name="Met">Null when nothing was wanted or the peer is missing.</param>
sealed record Row(string Work, Figure Ours, Figure? Peer, Unit Unit, double? Ratio, string? Target, bool? Met)
{
    public static Row Of(Experiment experiment, Comparison comparison, IReadOnlyDictionary<string, Figure> figures)
    {
        var ours = Named(comparison.Ours);
        var peer = comparison.Peer is { } name ? Named(name) : null;
        double? ratio = ours.Median is { } a && peer?.Median is { } b && double.IsFinite(a) && double.IsFinite(b) ? experiment.Unit.Times(a, b) : null;
        var target = comparison switch
        {
            { AtLeast: { } times } => $"≥ {times:0.##}×",
            { AtMost: { } limit } => $"≤ {experiment.Unit.Print(limit)}",
            { Reaches: { } least } => $"≥ {experiment.Unit.Print(least)}",
            _ => null,
        };
        bool? met = comparison switch
        {
            { AtLeast: null, AtMost: null, Reaches: null } => null,
            _ when ours.Median is not { } value || !double.IsFinite(value) => false,
            { AtMost: { } limit } => ours.Median <= limit,
            { Reaches: { } least } => ours.Median >= least,
            _ when peer?.Median is { } theirs => !double.IsFinite(theirs) || ratio >= comparison.AtLeast,
            _ => null,
        };
        return new(experiment.Work, ours, peer, experiment.Unit, ratio, target, met);

        Figure Named(string wanted) => figures.TryGetValue(wanted, out var figure)
            ? figure
            : throw new InvalidOperationException($"{experiment.Name} compares '{wanted}', which is none of its contenders");
    }
}

/// <summary>One experiment's run: all of it from the same minutes on the same machine.</summary>
sealed record Result(
    string Name, string Work, string Date, string Commit, string Machine, string Load, int Rounds, IReadOnlyList<Figure> Figures, IReadOnlyList<Row> Rows);
