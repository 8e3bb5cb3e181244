namespace Skein;

/// <summary>
/// What a side effect of a mobile process is known by: the same when the process does it again after it was restored. Give it to whoever carries
/// the effect out, so that a second time is refused there.
/// </summary>
/// <param name="ProcessId">That of the process.</param>
/// <param name="Step">The key of the effect, or its place among the effects of the process: <c>#1</c>, <c>#2</c>.</param>
public readonly record struct EffectId(string ProcessId, string Step)
{
    /// <summary><c>a.19f3.7/charge</c></summary>
    public override string ToString() => $"{ProcessId}/{Step}";
}
