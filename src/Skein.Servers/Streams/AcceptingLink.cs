using System.Globalization;
using System.Runtime.Versioning;
using System.Text;

namespace Skein;

/// <summary>
/// The way to one worker of a prefork server: questions, each a line of text after its number, and answers, in one message or several. Who does not
/// answer is not waited for long.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class AcceptingLink(DescriptorSocket socket, int number) : IDisposable
{
    public const string AskTable = "table", AskCounts = "counts", AskCancel = "cancel", AskStop = "stop";

    /// <summary>Behind the number of an answer: more of it comes, or this was the last.</summary>
    public const char More = '+', Last = '.';

    const int AnswerMilliseconds = 1000;

    readonly Lock _gate = new();
    StreamCounts _counts;
    int _questions;
    bool _isClosed;

    /// <summary>Of the worker; its connections' numbers begin with it.</summary>
    public int Number => number;

    public IReadOnlyList<ConnectionStatus> Table() => Ask(AskTable) is { } rows ? [.. rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ConnectionRow.Read)] : [];

    /// <summary>As the worker last said.</summary>
    public StreamCounts Counts()
    {
        if (Ask(AskCounts)?.Split(' ') is [var accepted, var refused, var failed])
            _counts = new(Read(accepted), Read(refused), Read(failed));
        return _counts;

        static long Read(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>The worker has ended, and said this before.</summary>
    public void Ended(StreamCounts counts) => _counts = counts;

    public bool TryCancel(CancelKey key) => Ask($"{AskCancel} {key}") == bool.TrueString;

    /// <summary>Tells the worker to end; its task ends then.</summary>
    public void Stop(TimeSpan grace) => Ask(string.Create(CultureInfo.InvariantCulture, $"{AskStop} {grace.TotalMilliseconds}"));

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            socket.Dispose();
        }
    }

    string? Ask(string question)
    {
        lock (_gate)
        {
            if (_isClosed)
                return null;
            var asked = $"{++_questions}";
            try
            {
                if (!socket.TrySend(Encoding.UTF8.GetBytes($"{asked} {question}"), canWait: false))
                    return null;
                return Receive(asked);
            }
            catch (IOException)
            {
                return null;   // it has just ended
            }
        }
    }

    string? Receive(string asked)
    {
        var buffer = new byte[DescriptorSocket.MaxMessage];
        var answer = new StringBuilder();
        while (socket.IsReadable(AnswerMilliseconds) && socket.Receive(buffer, out _) is > 0 and var length)
        {
            var message = Encoding.UTF8.GetString(buffer, 0, length);
            var sign = message.AsSpan().IndexOfAny(More, Last);
            if (message[..sign] != asked)
                continue;   // of a question that was given up
            answer.Append(message, sign + 1, message.Length - sign - 1);
            if (message[sign] == Last)
                return answer.ToString();
        }

        return null;
    }
}
