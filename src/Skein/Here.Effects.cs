namespace Skein;

public static partial class Here
{
    /// <summary>
    /// Carries out a side effect and keeps its result: whoever asks for the same key in this process gets that, and the effect does not happen
    /// again. The result is stored with the next <see cref="Checkpoint"/>. After a crash before that the effect happens again, with the
    /// same id: give the id to whoever carries it out, and let that refuse a second time, and it is applied once. An effect that failed is
    /// not kept.
    /// <code>
    /// var receipt = await Here.Once("charge", id => payments.ChargeAsync(order.Card, order.Total, idempotencyKey: id.ToString()));
    /// await Here.Checkpoint();
    /// </code>
    /// </summary>
    /// <param name="key">Of this effect among those of the process.</param>
    /// <param name="effect">Ordinary asynchronous code: while it runs the process neither moves nor is stored.</param>
    /// <exception cref="Exception">What the effect threw.</exception>
    /// <exception cref="InvalidOperationException">The key is that of an effect with a result of another type; or this is no mobile process.</exception>
    public static Mobile<T> Once<T>(string key, Func<EffectId, Task<T>> effect)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(effect);
        var process = Resident.Require();
        return (process.State.Effects ??= new()).Once(process.Id, key, effect);
    }

    /// <summary>The same for an effect without a result.</summary>
    public static async Mobile Once(string key, Func<EffectId, Task> effect)
    {
        ArgumentNullException.ThrowIfNull(effect);
        await Once(key, async id =>
        {
            await effect(id).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>Lets go of the result of an effect: the key can be used again, and images get smaller. One that is under way is kept.</summary>
    public static void Forget(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Resident.Require().State.Effects?.Forget(key);
    }

    /// <summary>
    /// An id for the next side effect of this process, by its place among those that were asked for. After the process was restored the
    /// effects that it does again get the same ids, if it asks for them in the same order; where that is not so, see <see cref="Once{T}"/>.
    /// </summary>
    public static EffectId NextEffect()
    {
        var process = Resident.Require();
        return (process.State.Effects ??= new()).Next(process.Id);
    }
}
