namespace Skein;

/// <summary>A place cannot run anything at the moment: nothing was started, and nothing is lost. The message says what to do.</summary>
public sealed class PlaceException : IOException
{
    internal PlaceException(string message, Exception? cause = null) : base(message, cause) { }
}
