namespace Skein;

/// <summary>Every request earns a part of a retry. What was saved in good times is bounded, so that bad times begin with few of them.</summary>
sealed class RetryBudget(double ratio)
{
    const int Parts = 1000, Reserve = 10 * Parts;   // ten at once, for clients that ask seldom

    readonly int _earned = (int)(ratio * Parts);
    int _saved = Reserve;

    public void Earn()
    {
        if (Volatile.Read(ref _saved) < Reserve)   // a race earns a little more, which matters to nobody
            Interlocked.Add(ref _saved, _earned);
    }

    public bool TrySpend()
    {
        if (Interlocked.Add(ref _saved, -Parts) >= 0)
            return true;
        Interlocked.Add(ref _saved, Parts);
        return false;
    }
}
