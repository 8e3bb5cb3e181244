namespace Skein;

/// <summary>An argument or a result is larger than one message may be. Nothing was sent.</summary>
public sealed class MessageTooLargeException : InvalidOperationException
{
    /// <param name="size">In bytes.</param>
    /// <param name="limit">The one in force, in bytes.</param>
    /// <param name="setting">What sets it; null: nothing does.</param>
    internal MessageTooLargeException(long size, long limit = WireLimits.MaxMessage, string? setting = null) : base(
        $"The message takes at least {size:N0} bytes; the limit is {limit:N0}{(setting is null ? "" : $" ({setting})")}. Send it in parts, through a channel, or name a file instead.")
    {
        (Size, Limit) = (size, limit);
    }

    /// <summary>In bytes; at least this much, since the writer stopped there.</summary>
    public long Size { get; }

    /// <summary>In bytes.</summary>
    public long Limit { get; }
}
