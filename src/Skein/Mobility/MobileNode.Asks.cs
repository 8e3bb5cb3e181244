using System.Collections.Concurrent;

namespace Skein;

public sealed partial class MobileNode
{
    readonly ConcurrentDictionary<long, TaskCompletionSource<AskAnswer>> _asked = new();   // by somebody here
    long _lastAsk;

    /// <summary>What processes that are here were asked for, and have not answered: by the node that asks, and its number.</summary>
    internal ConcurrentDictionary<(string Origin, long Number), Ask> Asks { get; } = new();

    /// <summary>Asks a process, wherever it is.</summary>
    internal (long Number, Task<AskAnswer> Answered) Ask(string process, AskKind kind, string destination)
    {
        var number = Interlocked.Increment(ref _lastAsk);
        var answered = new TaskCompletionSource<AskAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[number] = answered;
        Deliver(process, new Ask(Name, number, kind, destination));
        return (number, answered.Task);
    }

    internal void ForgetAsk(long number) => _asked.TryRemove(number, out _);

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
            asked.TrySetResult(answer);
    }
}
