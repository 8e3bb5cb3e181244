namespace Skein;

/// <summary>
/// What is fastened to a node cannot be reached from here: the node is not connected, or was started anew and does not have it any more.
/// The process goes on. A call that had begun may have been carried out.
/// </summary>
public sealed class BindingBrokenException : InvalidOperationException
{
    internal BindingBrokenException(string owner, string what, Exception? inner = null) : base($"What is fastened to node {owner} cannot be reached: {what}", inner) => Owner = owner;

    /// <summary>The name of the node.</summary>
    public string Owner { get; }
}
