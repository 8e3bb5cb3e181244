namespace Skein;

/// <summary>How much one message may hold.</summary>
static class GraphLimits
{
    /// <summary>In bytes. Half of what an array can hold: a buffer that doubles never asks for more than there can be.</summary>
    public const int MaxMessage = 1 << 30;
}
