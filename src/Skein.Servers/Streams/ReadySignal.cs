using System.Threading.Tasks.Sources;

namespace Skein;

/// <summary>
/// Lets one waiter on the loop's thread go on when a socket has become ready. What waits goes on at once, on the thread that sets it: the
/// loop's.
/// </summary>
sealed class ReadySignal : IValueTaskSource
{
    ManualResetValueTaskSourceCore<bool> _source;
    bool _waits, _set;

    public ValueTask WaitAsync()
    {
        if (_set)
        {
            _set = false;
            return default;
        }

        _source.Reset();
        _waits = true;
        return new(this, _source.Version);
    }

    public void Set()
    {
        if (!_waits)
        {
            _set = true;
            return;
        }

        _waits = false;
        _source.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
