using System.Collections.Concurrent;

namespace Skein;

public sealed partial class MobileNode
{
    readonly ConcurrentDictionary<long, Question> _asked = new();   // by somebody here
    long _lastAsk;

    /// <summary>What somebody here waits for.</summary>
    sealed class Question(string id)
    {
        public string Id => id;

        public TaskCompletionSource<AskAnswer> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>It is not wanted any more; an answer comes all the same.</summary>
        public bool IsWithdrawn { get; set; }
    }

    /// <summary>What processes that are here were asked for, and have not answered: by the node that asks, and its number.</summary>
    internal ConcurrentDictionary<(string Origin, long Number), Ask> Asks { get; } = new();

    /// <summary>Asks a process, wherever it is, and waits until it has done it.</summary>
    /// <param name="failure">What does not happen otherwise: what follows the process's id.</param>
    /// <param name="within">Null: the usual limit.</param>
    /// <exception cref="CannotMoveException">It did not happen, and the process goes on as it was.</exception>
    /// <exception cref="NodeLostException">It was on its way when the other node ended.</exception>
    internal async Task<AskAnswer> AskAsync(string process, AskKind kind, string destination, string failure, TimeSpan? within, CancellationToken cancellation)
    {
        var limit = within ?? MoveLimit;
        var number = Interlocked.Increment(ref _lastAsk);
        var question = _asked[number] = new(process);
        var isLate = false;
        AskAnswer answer;
        try
        {
            Deliver(process, new Ask(Name, number, kind, destination));
            answer = await question.Answered.Task.WaitAsync(limit, Time, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            isLate = true;
            question.IsWithdrawn = true;
            Deliver(process, new Withdrawal(Name, number));
            try
            {
                answer = await question.Answered.Task.WaitAsync(2 * Handovers.UsualLimit, Time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                var where = _started.TryGetValue(process, out var location) ? location.Node : NextNode(process) ?? Name;
                throw new CannotMoveException($"Mobile process {process} {failure} within {limit.TotalSeconds:0.###} s. Where it is nobody knows now: node {where}, or one that it was on its way to, does not answer.") { IsLate = true };
            }
        }
        finally
        {
            _asked.TryRemove(number, out _);
        }
        switch (answer.Kind)
        {
            case AskAnswerKind.Done:
                return answer;
            case AskAnswerKind.HasEnded:
                throw CannotMoveException.HasEnded(answer.Text);
            case AskAnswerKind.Withdrawn:
                cancellation.ThrowIfCancellationRequested();
                throw new CannotMoveException($"Mobile process {process} {failure} within {limit.TotalSeconds:0.###} s: {answer.Text} It goes on where it is.") { IsLate = true };
            case AskAnswerKind.Lost:
                throw new NodeLostException(process, answer.Text);
            default:
                throw new CannotMoveException(answer.Text, answer.Path) { IsLate = isLate };
        }
    }

    /// <summary>A node has ended, and what it was to send on with it: whoever does not want an answer any more gets one from whoever knows now.</summary>
    async Task WithdrawAgainAsync()
    {
        await Task.Delay(LossGrace, Time).ConfigureAwait(false);
        foreach (var (number, question) in _asked)
        {
            if (question.IsWithdrawn)
                Deliver(question.Id, new Withdrawal(Name, number));
        }
    }

    /// <summary>To whoever asked.</summary>
    internal void Tell(string origin, long number, AskAnswer answer)
    {
        Asks.TryRemove((origin, number), out _);
        if (origin == Name)
        {
            Take(number, answer);
            return;
        }
        var message = PeerMessage.Begin(PeerMessageKind.Told);
        message.WriteNumber((ulong)number);
        message.WriteByte((byte)answer.Kind);
        message.WriteText(answer.Text);
        message.WriteText(answer.Path ?? "");
        message.WriteBytes(answer.Data);
        Send(origin, message.End());
    }

    static AskAnswer ReadAnswer(GraphReader message)
    {
        var (kind, text, path) = ((AskAnswerKind)message.ReadByte(), message.ReadText(), message.ReadText());
        return new(kind, text, path.Length == 0 ? null : path, message.ReadBytes().ToArray());
    }

    void Take(long number, AskAnswer answer)
    {
        if (_asked.TryRemove(number, out var asked))
            asked.Answered.TrySetResult(answer);
    }
}
