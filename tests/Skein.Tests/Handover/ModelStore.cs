namespace Skein.Tests.Handover;

/// <summary>A store that writes when the model says so. What was asked for and not written when its node ends may be there afterwards, or not.</summary>
sealed class ModelStore : MobileStore
{
    readonly Dictionary<string, byte[]> _kept = [];
    readonly List<Write> _waiting = [];

    public string? Wrong { get; private set; }

    public ICollection<string> Kept => _kept.Keys;

    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Writes, and tells so: what waits for it goes on within this call.</summary>
    public void WriteNext(Random random)
    {
        var next = _waiting[random.Next(_waiting.Count)];
        _waiting.Remove(next);
        if (random.Next(20) == 0 && next.Image is not null)
        {
            next.Done.SetException(new IOException("The disk of the model is full."));
            return;
        }
        Keep(next);
        next.Done.SetResult();
    }

    public void Crash(Random random)
    {
        foreach (var write in _waiting.Where(_ => random.Next(2) == 0))
            Keep(write);
        _waiting.Clear();
    }

    public override ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default) => Add(new(id, image.ToArray()));

    public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) => Add(new(id, null));

    public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) =>
        new([.. _kept.Select(static kept => new StoredProcess(kept.Key, kept.Value))]);

    public override ValueTask DisposeAsync() => default;

    ValueTask Add(Write write)
    {
        if (_waiting.Exists(other => other.Id == write.Id))
            Wrong ??= "the store was called while it wrote the same process";
        _waiting.Add(write);
        return new(write.Done.Task);
    }

    void Keep(Write write)
    {
        if (write.Image is null)
            _kept.Remove(write.Id);
        else
            _kept[write.Id] = write.Image;
    }

    sealed record Write(string Id, byte[]? Image)
    {
        public TaskCompletionSource Done { get; } = new();
    }
}
