namespace Skein;

/// <summary>The replicas of a service, and which of them is next: of two random ones, the one with less to do.</summary>
sealed class ReplicaSet(ReplicaSource source, ReplicaOptions options)
{
    readonly Lock _gate = new();
    IReadOnlyList<Uri> _addresses = [];
    Replica[] _replicas = [];

    public string? HostName => source.HostName;

    /// <summary>All that the source knows now. Those that stay keep what is known of them.</summary>
    public Replica[] Current
    {
        get
        {
            var addresses = source.Current;
            if (!ReferenceEquals(addresses, Volatile.Read(ref _addresses)))
            {
                lock (_gate)
                {
                    var known = _replicas.ToDictionary(replica => replica.Address);
                    Volatile.Write(ref _replicas, [.. addresses.Select(address => known.GetValueOrDefault(address) ?? new(address, options))]);
                    Volatile.Write(ref _addresses, addresses);
                }
            }

            return Volatile.Read(ref _replicas);
        }
    }

    /// <summary>The next one that has not been tried; null when all have.</summary>
    /// <param name="mayProbe">The request may be the one that finds out whether an ejected replica is well.</param>
    /// <param name="isLastResort">All are ejected: then it is tried as if none were.</param>
    public Replica? Choose(List<Replica>? tried, bool mayProbe, out bool isLastResort)
    {
        var all = Current;
        isLastResort = false;
        Replica? first = null, second = null;
        int seen = 0, left = 0;
        foreach (var replica in all)
        {
            if (tried?.Contains(replica) == true)
                continue;
            left++;
            if (replica.IsEjected)
            {
                if (mayProbe && replica.TryProbe())
                    return replica;
                continue;
            }

            // Two of them at random in one pass: each that comes takes a place with the chance that it has of two in all.
            seen++;
            if (seen <= 2)
                (first, second) = seen == 1 ? (replica, null) : (first, replica);
            else if (Random.Shared.Next(seen) < 2)
                (first, second) = Random.Shared.Next(2) == 0 ? (replica, second) : (first, replica);
        }

        if (first is null && left > 0)
        {
            isLastResort = true;
            return all.Where(replica => tried?.Contains(replica) != true).MinBy(replica => (replica.Failures, replica.Outstanding));   // a dead one has less to do than all others
        }

        if (second is null || first!.Outstanding < second.Outstanding)
            return first;
        return second.Outstanding < first.Outstanding || Random.Shared.Next(2) == 0 ? second : first;
    }
}
