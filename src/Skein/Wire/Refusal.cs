namespace Skein;

/// <summary>Inside the writer: something cannot travel. <see cref="TravelPath"/> makes a <see cref="CannotTravelException"/> of it.</summary>
sealed class Refusal(object? culprit, Type type, string reason) : Exception(reason)
{
    /// <summary>The object itself, where it has an identity.</summary>
    public object? Culprit => culprit;

    public Type Type => type;
}
