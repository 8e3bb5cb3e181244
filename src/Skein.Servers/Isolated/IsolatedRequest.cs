namespace Skein;

/// <summary>A request on its way to the worker that runs its endpoint: everything but the rest of a long body.</summary>
sealed class IsolatedRequest
{
    public required string Endpoint;
    public required string Method, Scheme, PathBase, Path, Query, Protocol, Identifier;

    /// <summary>Names and values in turn.</summary>
    public required string[] Headers, RouteValues;

    public byte[]? RemoteAddress, LocalAddress;
    public int RemotePort, LocalPort;

    /// <summary>Who the application's middleware found the client to be; null: nobody.</summary>
    public byte[]? User;

    /// <summary>The whole body, if it is short or there is none.</summary>
    public byte[]? Body;

    /// <summary>Fills <see cref="Piece"/> with more of a long body: how many bytes; 0 at its end.</summary>
    public Callback<int, int>? ReadBody;

    /// <summary>Where pieces of a long body are put, seen by both sides.</summary>
    public Lease? Piece;

    /// <summary>Sends a part of the response, and completes when there is room for the next.</summary>
    public required Callback<ResponsePart, Nothing> Respond;
}

/// <summary>Status and headers of a response.</summary>
sealed class ResponseHead
{
    public required int Status;
    public string? Reason;

    /// <summary>Names and values in turn.</summary>
    public required string[] Headers;
}

/// <summary>A part of a response: its head, unless that was sent before, and bytes of its body.</summary>
sealed class ResponsePart
{
    public ResponseHead? Head;
    public required byte[] Body;
}

/// <summary>The rest of a response, when the handler has ended.</summary>
sealed class IsolatedResponse
{
    public required ResponsePart Last;

    /// <summary>What the handler threw.</summary>
    public FaultRecord? Fault;

    /// <summary>The handler has broken its connection.</summary>
    public bool Aborted;
}
