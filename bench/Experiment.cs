namespace Skein.Bench;

/// <summary>One piece of work, those who do it, and what is wanted of ours.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Work">What every contender does, and what a figure stands for.</param>
/// <param name="Contenders">Measured in this order, again and again.</param>
/// <param name="Comparisons">The rows of the table.</param>
sealed record Experiment(string Name, string Work, Unit Unit, Contender[] Contenders, Comparison[] Comparisons);

/// <summary>A row of the table: one contender of ours beside a peer, or alone.</summary>
sealed record Comparison(string Ours, string? Peer = null)
{
    /// <summary>How many times better than the peer ours has to be.</summary>
    public double? AtLeast { get; init; }

    /// <summary>What our figure itself must reach, in the experiment's unit.</summary>
    public double? Reaches { get; init; }

    /// <summary>What our figure itself must not exceed, in the experiment's unit.</summary>
    public double? AtMost { get; init; }
}

/// <summary>Divides the amounts of work for a quick look; the figures of such a run are not for quoting.</summary>
sealed record Scale(int Divisor)
{
    public int Of(int count) => Math.Max(1, count / Divisor);

    /// <summary>The same for what is measured during a time: at least 200 ms.</summary>
    public TimeSpan Of(TimeSpan time) => time / Divisor is var part && part > Shortest ? part : Shortest;

    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(200);
}
