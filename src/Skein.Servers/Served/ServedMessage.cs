using System.Globalization;
using System.Text;

namespace Skein;

/// <summary>What master and worker tell each other: a word, and what it is about.</summary>
/// <param name="Word">One of the constants.</param>
/// <param name="Fields">Without spaces.</param>
readonly record struct ServedMessage(string Word, params string[] Fields)
{
    /// <summary>In bytes.</summary>
    public const int Longest = 256;

    /// <summary>Worker: the application has started; it accepts nothing yet.</summary>
    public const string Ready = "ready";

    /// <summary>Worker: it is alive; see <see cref="ServedBeat"/>.</summary>
    public const string Beat = "beat";

    /// <summary>Worker: it accepts no connections any more.</summary>
    public const string Closed = "closed";

    /// <summary>Master: accept connections.</summary>
    public const string Accept = "accept";

    /// <summary>Master: accept no more, end what runs, then stop.</summary>
    public const string Drain = "drain";

    /// <summary>Both: a request with this name, wherever it runs, is to be cancelled. A number, and the name.</summary>
    public const string Cancel = "cancel";

    /// <summary>Both: what has become of a cancel with this number; see <see cref="CancelOutcome"/>.</summary>
    public const string Cancelled = "cancelled";

    public int WriteTo(Span<byte> buffer) =>
        Encoding.ASCII.GetBytes(string.Join(' ', Fields.Prepend(Word)), buffer);

    public static ServedMessage Read(ReadOnlySpan<byte> bytes)
    {
        var words = Encoding.ASCII.GetString(bytes).Split(' ');
        return new(words[0], words[1..]);
    }
}

/// <summary>What a worker says of itself every second.</summary>
/// <param name="Requests">That it has answered so far.</param>
/// <param name="Failed">Of those, the ones answered with a status of 500 or more, or not at all.</param>
/// <param name="Active">That it works on.</param>
/// <param name="Connections">That are open.</param>
/// <param name="Heap">In bytes.</param>
/// <param name="PoolDelay">How long, in milliseconds, the thread pool has not answered.</param>
/// <param name="Stall">How long, in milliseconds, its bounded threads have been held without a move while requests wanted one; see <see cref="StallProbe"/>.</param>
/// <param name="Microseconds">That all requests together took.</param>
sealed record ServedBeat(long Requests, long Failed, long Active, long Connections, long Heap, long PoolDelay, long Stall, long Microseconds)
{
    /// <summary>It has said nothing yet.</summary>
    public static ServedBeat None { get; } = new(0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Of both together.</summary>
    public static ServedBeat operator +(ServedBeat one, ServedBeat other) => new(
        one.Requests + other.Requests, one.Failed + other.Failed, one.Active + other.Active, one.Connections + other.Connections,
        one.Heap + other.Heap, Math.Max(one.PoolDelay, other.PoolDelay), Math.Max(one.Stall, other.Stall), one.Microseconds + other.Microseconds);

    public ServedMessage ToMessage() =>
        new(ServedMessage.Beat, [.. ((long[])[Requests, Failed, Active, Connections, Heap, PoolDelay, Stall, Microseconds]).Select(number => number.ToString(CultureInfo.InvariantCulture))]);

    /// <summary>Null where the message is none.</summary>
    public static ServedBeat? Of(ServedMessage message)
    {
        var numbers = message.Fields.Select(field => long.TryParse(field, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers is [>= 0 and var requests, >= 0 and var failed, >= 0 and var active, >= 0 and var connections, >= 0 and var heap, >= 0 and var delay, >= 0 and var stall, >= 0 and var time]
            ? new(requests, failed, active, connections, heap, delay, stall, time)
            : null;
    }
}
