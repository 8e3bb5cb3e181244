using System.Globalization;

namespace Skein;

/// <summary>The side effects of a process, in its image: how many there were, and the results of those that are to happen once.</summary>
sealed class Effects
{
    readonly Dictionary<string, object> _results = [];   // or the call, while it is under way
    int _count;

    public EffectId Next(string process) => new(process, string.Create(CultureInfo.InvariantCulture, $"#{++_count}"));

    /// <summary>The result that is kept, or that of the call that is under way, or that of a new call.</summary>
    public Mobile<T> Once<T>(string process, string key, Func<EffectId, Task<T>> effect)
    {
        if (_results.TryGetValue(key, out var known))
        {
            return known switch
            {
                Kept<T> kept => new(kept.Result),
                MobileFrame<T> call => new(call),
                _ => throw new InvalidOperationException($"The effect '{key}' of mobile process {process} has another result than a {SourceNames.Of(typeof(T))}: each needs a key of its own."),
            };
        }
        var begun = CallAsync(new(process, key), effect);
        if (begun.Frame is { HasEnded: false } frame)
            _results[key] = frame;
        return begun;
    }

    public void Forget(string key)
    {
        if (_results.TryGetValue(key, out var known) && known is not MobileFrame)
            _results.Remove(key);
    }

    async Mobile<T> CallAsync<T>(EffectId id, Func<EffectId, Task<T>> effect)
    {
        try
        {
            var result = await effect(id).ConfigureAwait(false);
            _results[id.Step] = new Kept<T>(result);
            return result;
        }
        catch
        {
            _results.Remove(id.Step);   // it may be tried again
            throw;
        }
    }

    sealed class Kept<T>(T result)
    {
        public T Result => result;
    }
}
