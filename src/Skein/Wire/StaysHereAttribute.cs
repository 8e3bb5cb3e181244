namespace Skein;

/// <summary>Objects of this class never travel; a <see cref="CannotTravelException"/> says why, with the path to the object.</summary>
/// <param name="reason">Why, and what to do instead, as the end of a sentence that begins with the path.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class StaysHereAttribute(string reason) : Attribute
{
    /// <summary>Why, and what to do instead.</summary>
    public string Reason => reason;
}
