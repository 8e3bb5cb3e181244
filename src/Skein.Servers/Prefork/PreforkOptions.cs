namespace Skein;

/// <summary>How an application is served by several processes.</summary>
sealed record PreforkOptions
{
    /// <summary>The name by which the server is known; its workers are called after it.</summary>
    public required string Id { get; init; }

    /// <summary>How many processes serve.</summary>
    public required int Workers { get; init; }

    /// <summary>How many more are kept ready, to serve at once in the place of one that has crashed.</summary>
    public int Spares { get; init; }

    /// <summary>Who runs the requests in each worker; null: whoever the application says.</summary>
    public ServerModel? Model { get; init; }

    /// <summary>The application has asked for its workers itself, and is this program.</summary>
    public bool IsAsked { get; init; }

    /// <summary>A worker that is not ready by then has failed.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the requests of a worker that is to stop may take; then they are broken.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker that shows no sign of life for so long, or whose thread pool does not, is replaced.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A worker is replaced after about so many requests; each draws its own number, up to a tenth lower.</summary>
    public long? MaxRequests { get; init; }

    /// <summary>A worker is replaced when it has so much memory, in bytes; each draws its own number, up to a tenth lower.</summary>
    public long? MaxMemory { get; init; }

    /// <summary>Where the keys are kept that sign cookies; null: where the application keeps them.</summary>
    public string? Keys { get; init; }

    /// <summary>The file of the certificate for https addresses.</summary>
    public string? Certificate { get; init; }

    /// <summary>The file of its key, where it is not in the same one.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>The file that gets a line for each request.</summary>
    public string? AccessLog { get; init; }

    /// <summary>Where traces and metrics are sent; see <see cref="TelemetryContext"/>.</summary>
    public string? Collector { get; init; }
}
