using System.Globalization;
using System.Text;

namespace Skein;

/// <summary>What master and worker tell each other: a word, and numbers after it.</summary>
/// <param name="Word">One of the constants.</param>
readonly record struct ServedMessage(string Word, params long[] Numbers)
{
    /// <summary>Worker: the application has started; it accepts nothing yet.</summary>
    public const string Ready = "ready";

    /// <summary>Worker: it is alive; see <see cref="ServedBeat"/>.</summary>
    public const string Beat = "beat";

    /// <summary>Worker: it accepts no connections any more.</summary>
    public const string Closed = "closed";

    /// <summary>Worker: all its connections are over or quiet, the application stops.</summary>
    public const string Stopping = "stopping";

    /// <summary>Master: accept connections.</summary>
    public const string Accept = "accept";

    /// <summary>Master: accept no more, end what runs, then stop.</summary>
    public const string Drain = "drain";

    public int WriteTo(Span<byte> buffer) =>
        Encoding.ASCII.GetBytes(string.Join(' ', Numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)).Prepend(Word)), buffer);

    public static ServedMessage Read(ReadOnlySpan<byte> bytes)
    {
        var words = Encoding.ASCII.GetString(bytes).Split(' ');
        return new(words[0], [.. words.Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture))]);
    }
}

/// <summary>What a worker says of itself every second.</summary>
/// <param name="Requests">That it has answered so far.</param>
/// <param name="Failed">Of those, the ones answered with a status of 500 or more, or not at all.</param>
/// <param name="Active">That it works on.</param>
/// <param name="Connections">That are open.</param>
/// <param name="Heap">In bytes.</param>
/// <param name="PoolDelay">How long, in milliseconds, the thread pool has not answered.</param>
/// <param name="Microseconds">That all requests together took.</param>
sealed record ServedBeat(long Requests, long Failed, long Active, long Connections, long Heap, long PoolDelay, long Microseconds)
{
    /// <summary>It has said nothing yet.</summary>
    public static ServedBeat None { get; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>Of both together.</summary>
    public static ServedBeat operator +(ServedBeat one, ServedBeat other) => new(
        one.Requests + other.Requests, one.Failed + other.Failed, one.Active + other.Active, one.Connections + other.Connections,
        one.Heap + other.Heap, Math.Max(one.PoolDelay, other.PoolDelay), one.Microseconds + other.Microseconds);

    public ServedMessage ToMessage() => new(ServedMessage.Beat, Requests, Failed, Active, Connections, Heap, PoolDelay, Microseconds);

    public static ServedBeat Of(ServedMessage message) => message.Numbers is [var requests, var failed, var active, var connections, var heap, var delay, var time]
        ? new(requests, failed, active, connections, heap, delay, time)
        : throw new ArgumentException("A beat has seven numbers.", nameof(message));
}
