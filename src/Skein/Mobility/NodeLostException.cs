namespace Skein;

/// <summary>A node has ended, and a mobile process with it. Where the process had stored itself it goes on when that node is started again.</summary>
public sealed class NodeLostException : IOException
{
    internal NodeLostException(string process, string node) : base($"Mobile process {process} was at node {node}, or on its way there, when that ended. If it had stored itself (Here.Checkpoint), it goes on where its store is opened again.") =>
        (Id, Node) = (process, node);

    /// <summary>The id of the process.</summary>
    public string Id { get; }

    /// <summary>The name of the node.</summary>
    public string Node { get; }
}
