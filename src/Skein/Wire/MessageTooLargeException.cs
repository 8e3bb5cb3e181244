namespace Skein;

/// <summary>An argument or a result is larger than one message may be. Nothing was sent.</summary>
public sealed class MessageTooLargeException : InvalidOperationException
{
    internal MessageTooLargeException(long size) : base(
        $"The message takes at least {size:N0} bytes; the limit is {WireLimits.MaxMessage:N0}. Send it in parts, through a channel, or name a file instead.")
    {
        Size = size;
    }

    /// <summary>In bytes; at least this much, since the writer stopped there.</summary>
    public long Size { get; }

    /// <summary>In bytes.</summary>
    public long Limit { get; } = WireLimits.MaxMessage;
}
