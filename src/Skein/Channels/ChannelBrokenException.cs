using System.Threading.Channels;

namespace Skein;

/// <summary>
/// The other side of a channel was killed, or left without saying that it was done. What had arrived whole could still be read;
/// nothing more will come. Other channels, and the process itself, are not affected.
/// </summary>
public sealed class ChannelBrokenException : ChannelClosedException
{
    internal ChannelBrokenException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>The error with which a writer in another process completed a channel.</summary>
public sealed class RemoteChannelException : Exception
{
    internal RemoteChannelException(string typeName, string message) : base(message) => TypeName = typeName;

    /// <summary>The full name of the error's type, as it was there.</summary>
    public string TypeName { get; }
}
