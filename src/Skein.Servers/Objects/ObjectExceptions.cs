namespace Skein;

/// <summary>The server has no object of this name, or serves no such interface. The call was not made.</summary>
public sealed class UnknownObjectException(string message) : Exception(message);

/// <summary>The interface at the server has no such method: client and server were built with different versions of it. The call was not made.</summary>
public sealed class UnknownMethodException(string message) : Exception(message);

/// <summary>The server refuses an argument: its type is not one that may be made there, or is of another build. The call was not made.</summary>
public sealed class RefusedTypeException(string message) : Exception(message);

/// <summary>
/// The server cannot be reached, or its connection broke while the call was out: then it may have been made, or not. A later call tries
/// to connect anew.
/// </summary>
public sealed class ServerLostException : IOException
{
    internal ServerLostException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
