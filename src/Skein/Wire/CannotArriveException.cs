namespace Skein;

/// <summary>Inside the reader: this place lacks something that the message needs. The message is whole, and another place may take it.</summary>
sealed class CannotArriveException(string message, Exception? inner = null) : Exception(message, inner);
