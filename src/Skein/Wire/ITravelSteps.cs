namespace Skein;

/// <summary>An object that <see cref="TravelPath"/> names, with the ways from it, better than its fields would.</summary>
interface ITravelSteps
{
    /// <summary>A path starts anew here: what led here does not help to find it in the source.</summary>
    string Name { get; }

    IEnumerable<(string Edge, object? Value)> Steps { get; }
}
