using System.Collections.Concurrent;
using System.Globalization;

namespace Skein;

/// <summary>
/// One end of the conversation about cancels: a worker asks its master for a request that it has not, the master asks the other workers. Who
/// does not listen is waited for no longer than a moment, and is sent no more than it takes.
/// </summary>
/// <param name="trySend">Sends, or is false where that would have to wait.</param>
sealed class CancelQuestions(Func<ServedMessage, bool> trySend)
{
    static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);

    readonly ConcurrentDictionary<string, TaskCompletionSource<CancelOutcome>> _open = new();
    long _count;

    /// <summary>Never fails.</summary>
    public async Task<CancelOutcome> AskAsync(string name)
    {
        var number = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        var answer = _open[number] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            return trySend(new(ServedMessage.Cancel, number, name))
                ? await answer.Task.WaitAsync(AnswerTime, TimeProvider.System).ConfigureAwait(false)
                : CancelOutcome.Unanswered;
        }
        catch (TimeoutException)
        {
            return CancelOutcome.Unanswered;
        }
        finally
        {
            _open.TryRemove(number, out _);
        }
    }

    /// <summary>What the other end has answered; false where that makes no sense.</summary>
    public bool Hear(string number, string outcome)
    {
        if (!Enum.TryParse<CancelOutcome>(outcome, out var known))
            return false;
        if (_open.TryGetValue(number, out var answer))
            answer.TrySetResult(known);
        return true;
    }

    /// <summary>Answers a question of the other end.</summary>
    public void Answer(string number, CancelOutcome outcome) => trySend(new(ServedMessage.Cancelled, number, outcome.ToString()));

    /// <summary>There is no other end any more, and so no request of it.</summary>
    public void Close()
    {
        foreach (var answer in _open.Values)
            answer.TrySetResult(CancelOutcome.Unknown);
    }
}
