namespace Skein;

/// <summary>What happens to requests that must wait; see <see cref="SkeinWebHostExtensions"/>.</summary>
public sealed record HttpServerOptions
{
    /// <summary>
    /// A request that could not be started this long after its arrival is answered 503 instead; null: it waits as long as its client does.
    /// A client sets a shorter one with the header <c>Request-Timeout</c> (seconds, as a decimal number) or <c>grpc-timeout</c>.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>What a refused client is told to wait before it tries again, in whole seconds: 1 by default.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A request waits for its body up to this many bytes before a thread is taken for it, so that a client that sends slowly holds none:
    /// 64 KiB by default. What is longer is read by the handler.
    /// </summary>
    public int BodyBuffer { get; init; } = 64 * 1024;

    /// <summary>
    /// Bounds how many requests are taken on at a time, running or waiting, by what they are measured to take; more are answered 503. Null: by
    /// the model's own numbers alone.
    /// </summary>
    public AdaptiveLimit? Limit { get; init; }

    /// <summary>
    /// How long a request may take, from its arrival; then the token of its handler is cancelled, and it is answered 504. Null: as long as it
    /// likes.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>A handler that goes on for longer than this after its token was cancelled is reported: 2 s by default.</summary>
    public TimeSpan DeafAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Under <see cref="ServerModel.Prefork"/>, a worker is replaced after about so many requests; null: never for that.</summary>
    public long? MaxRequests { get; init; }

    /// <summary>Under <see cref="ServerModel.Prefork"/>, a worker is replaced when it has about so much memory, in bytes; null: never for that.</summary>
    public long? MaxMemory { get; init; }

    internal HttpServerOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRequests ?? 1, 1, nameof(MaxRequests));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMemory ?? 1, 1, nameof(MaxMemory));
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryAfter, TimeSpan.Zero, nameof(RetryAfter));
        ArgumentOutOfRangeException.ThrowIfNegative(BodyBuffer, nameof(BodyBuffer));
        ArgumentOutOfRangeException.ThrowIfLessThan(DeafAfter, TimeSpan.Zero, nameof(DeafAfter));
        _ = Limit?.Checked();
        return this with { Deadline = TimeRange.Limit(Deadline, nameof(Deadline)), Timeout = TimeRange.Limit(Timeout, nameof(Timeout)) };
    }
}
