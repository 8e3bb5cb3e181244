using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;

namespace Skein;

/// <summary>The session of one request: its entries are there before the handler runs, and in the store before the answer's first byte.</summary>
sealed class HttpSession(IDistributedCache store, SessionOptions options, string id, byte[]? stored) : ISession
{
    readonly Dictionary<string, byte[]> _entries = Read(stored);
    bool _isStored = stored is not null, _isChanged;

    public bool IsAvailable => true;

    public string Id => id;

    public IEnumerable<string> Keys => _entries.Keys;

    /// <summary>Whether the store holds it: only then its client needs to know its id.</summary>
    public bool IsStored => _isStored;

    public Task LoadAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Stores what has changed. A session without entries ends.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (!_isChanged)
            return;
        _isChanged = false;
        if (_entries.Count > 0)
        {
            var times = new DistributedCacheEntryOptions { SlidingExpiration = options.IdleTimeout, AbsoluteExpirationRelativeToNow = options.Lifetime };
            await store.SetAsync(id, Bytes(), times, cancellationToken).ConfigureAwait(false);
        }
        else if (_isStored)
        {
            await store.RemoveAsync(id, cancellationToken).ConfigureAwait(false);
        }

        _isStored = _entries.Count > 0;
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value) => _entries.TryGetValue(key, out value);

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _entries[key] = [.. value];
        _isChanged = true;
    }

    public void Remove(string key) => _isChanged |= _entries.Remove(key);

    public void Clear()
    {
        _isChanged |= _entries.Count > 0;
        _entries.Clear();
    }

    byte[] Bytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        foreach (var (key, value) in _entries)
        {
            writer.Write(key);
            writer.Write7BitEncodedInt(value.Length);
            writer.Write(value);
        }

        return bytes.ToArray();
    }

    static Dictionary<string, byte[]> Read(byte[]? stored)
    {
        var entries = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using var reader = new BinaryReader(new MemoryStream(stored ?? []));
        while (reader.BaseStream.Position < reader.BaseStream.Length)
            entries[reader.ReadString()] = reader.ReadBytes(reader.Read7BitEncodedInt());
        return entries;
    }
}
