using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Skein;

/// <summary>How long a request is worth starting: what the server allows, or less if its client says so.</summary>
static class RequestDeadline
{
    public static TimeSpan? Of(IHeaderDictionary headers, TimeSpan? configured)
    {
        var deadline = Shorter(configured, Seconds(headers["Request-Timeout"]));
        deadline = Shorter(deadline, Grpc(headers["grpc-timeout"]));
        return deadline <= TimeRange.Longest ? deadline : null;   // one that no timer can wait for is none
    }

    static TimeSpan? Shorter(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;

    // What cannot be read is no deadline: the client may mean something else by the header.
    static TimeSpan? Seconds(string? text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= int.MaxValue
            ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond))
            : null;

    // "At most eight digits" and a unit: gRPC over HTTP/2.
    static TimeSpan? Grpc(string? text)
    {
        if (text is not { Length: > 1 and <= 9 } || !long.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(number),
            'M' => TimeSpan.FromMinutes(number),
            'S' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMilliseconds(number),
            'u' => TimeSpan.FromMicroseconds(number),
            'n' => TimeSpan.FromTicks(number / TimeSpan.NanosecondsPerTick),
            _ => null,
        };
    }
}
