using System.Net;

namespace Skein;

/// <summary>What each source has of one service, as long as that matters.</summary>
sealed class SourceTable(TimeProvider time)
{
    const int SweepAbove = 1024, Most = 64 * 1024;   // with forged addresses there is no end of sources

    readonly Dictionary<IPAddress, Entry> _sources = [];
    int _sweepAt = SweepAbove;

    public int Count => _sources.Count;

    /// <summary>Counts one connection more, or says why not.</summary>
    public string? TryAdd(IPAddress source, ServiceLimits limits)
    {
        if (limits.InstancesPerSource is null && limits.RatePerSource is null)
            return null;
        if (_sources.Count >= _sweepAt)
            Sweep(limits);
        if (!_sources.TryGetValue(source, out var entry))
            _sources.Add(source, entry = new(time));
        if (entry.Instances >= limits.InstancesPerSource)
            return $"it has {entry.Instances} connections";
        if (limits.RatePerSource is { } rate && !entry.Gate.TryPass(rate))
            return $"it has come {rate.Count} times in {rate.Per.TotalSeconds} s";
        entry.Instances++;
        return null;
    }

    public void Remove(IPAddress source, ServiceLimits limits)
    {
        if (!_sources.TryGetValue(source, out var entry))
            return;   // the limits were set while it was connected
        entry.Instances = Math.Max(0, entry.Instances - 1);
        if (entry.Instances == 0 && limits.RatePerSource is null)
            _sources.Remove(source);
    }

    // Those that came once and went; more often than the table doubles would cost more than it saves.
    void Sweep(ServiceLimits limits)
    {
        foreach (var (source, entry) in _sources)
        {
            if (entry.Instances == 0 && (limits.RatePerSource is not { } rate || entry.Gate.IsOver(rate)))
                _sources.Remove(source);
        }

        if (_sources.Count >= Most)
        {
            // Whoever matters least: has nothing, is not paused, and came first. Half of them, so that this is seldom.
            var least = _sources.Where(pair => pair.Value.Instances == 0).OrderBy(pair => pair.Value.Gate.Left is not null).ThenBy(pair => pair.Value.Gate.Began);
            foreach (var (source, _) in least.Take(Most / 2).ToArray())
                _sources.Remove(source);
        }

        _sweepAt = Math.Max(SweepAbove, Math.Min(_sources.Count * 2, Math.Max(Most, _sources.Count + SweepAbove)));
    }

    sealed class Entry(TimeProvider time)
    {
        public RateGate Gate { get; } = new(time);

        public int Instances { get; set; }
    }
}
