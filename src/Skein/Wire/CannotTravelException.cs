namespace Skein;

/// <summary>A value cannot leave this process. Nothing was sent and nothing has changed: the caller may repair the value and try again.</summary>
public sealed class CannotTravelException : InvalidOperationException
{
    internal CannotTravelException(string path, Type type, string reason, object? culprit = null) : base($"{path}: {reason}")
    {
        Path = path;
        Type = type;
        Culprit = culprit;
    }

    /// <summary>The object itself, where it has an identity.</summary>
    [field: Transient]
    internal object? Culprit { get; }

    /// <summary>From what was sent to the culprit, such as <c>closure.logger._stream: FileStream</c>.</summary>
    public string Path { get; }

    /// <summary>The type of the culprit.</summary>
    public Type Type { get; }
}
