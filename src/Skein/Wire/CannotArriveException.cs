namespace Skein;

/// <summary>Inside the reader: this place lacks something that the message needs. The message is whole, and another place may take it.</summary>
sealed class CannotArriveException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The function that is in the way; null where none is.</summary>
    public FunctionPlace? Function { get; init; }
}

/// <summary>A function, and where in the source it waits, as far as that is known.</summary>
sealed record FunctionPlace(string Function)
{
    public string? File { get; init; }

    public int? Line { get; init; }
}
