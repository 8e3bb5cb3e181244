namespace Skein.Bench;

/// <summary>
/// Runs an experiment: starts its contenders, lets each do the work once unmeasured, then measures them in turns (ours, peer, ours,
/// peer…), so that whatever changes on the machine changes for all of them.
/// </summary>
sealed class Runner(int rounds, TextWriter log)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);   // for one figure; the slowest takes seconds

    public async Task<Result> RunAsync(Experiment experiment)
    {
        var load = Machine.Load;
        await log.WriteAsync($"{experiment.Name} ");
        var runs = experiment.Contenders.Select(contender => new Run(contender)).ToArray();
        try
        {
            foreach (var run in runs)
                await run.TryAsync(run.Contender.StartAsync);
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var run in runs.Where(run => run.Failure is null))
                    await run.TryAsync(() => run.MeasureAsync(counts: round > 0));
                await log.WriteAsync(".");
            }
        }
        finally
        {
            foreach (var run in runs)
                await run.Contender.DisposeAsync();
            await log.WriteLineAsync();
        }

        var figures = runs.Select(run => run.Figure()).ToArray();
        var byName = figures.ToDictionary(figure => figure.Name);
        return new(
            experiment.Name, experiment.Work, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC", await Machine.CommitAsync(), Machine.Description,
            load, rounds, figures, [.. experiment.Comparisons.Select(comparison => Row.Of(experiment, comparison, byName))]);
    }

    /// <summary>A contender and what it has reached so far.</summary>
    sealed class Run(Contender contender)
    {
        readonly List<double> _values = [];
        readonly List<double?> _foreign = [];

        public Contender Contender => contender;

        /// <summary>Why it is out of the race.</summary>
        public string? Failure { get; private set; }

        public async Task TryAsync(Func<Task> step)
        {
            try
            {
                await step().WaitAsync(Limit);
            }
            catch (Exception e)
            {
                Failure = e is MissingPeerException ? e.Message : $"failed: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ").Trim()}";
            }
        }

        public async Task MeasureAsync(bool counts)
        {
            var account = new CpuAccount();
            var value = await contender.MeasureAsync();
            if (!counts)
                return;
            _values.Add(value);
            _foreign.Add(account.Foreign());
        }

        public Figure Figure() => Failure is null
            ? new(contender.Name, contender.Settings, contender.Version, Median(_values), _values.Min(), _values.Max(), _foreign.Contains(null) ? null : Median(_foreign.OfType<double>()), contender.Remark)
            : new(contender.Name, contender.Settings, contender.Version, null, 0, 0, null, Failure);
    }

    static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
