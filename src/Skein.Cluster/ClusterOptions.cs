using System.Net;

namespace Skein;

/// <summary>How a node of a cluster is made.</summary>
public sealed record ClusterOptions
{
    /// <summary>Where the nodes of this user and machine find each other. By default <c>$SKEIN_HOME/nodes</c>, else a folder of the user's own.</summary>
    public string? Folder { get; init; }

    /// <summary>
    /// Where nodes of other machines reach this one, over TLS 1.3; port 0 takes any that is free. Null: nowhere. Needs an <see cref="Identity"/>.
    /// </summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>The addresses of nodes on other machines: those that are to be asked from here. Of two nodes it is enough that one knows the other.</summary>
    public IReadOnlyList<IPEndPoint> Peers { get; init; } = [];

    /// <summary>By what nodes of other machines know this one. The node does not dispose of it.</summary>
    public ClusterIdentity? Identity { get; init; }

    /// <summary>Lets other nodes join by the tokens that it gives, at <see cref="Listen"/>. The node does not dispose of it.</summary>
    public ClusterAuthority? Authority { get; init; }

    /// <summary>Whose code this node takes with processes that come; by default nobody's.</summary>
    public CodePolicy Code { get; init; } = CodePolicy.Listed();

    /// <summary>Whether what processes print at this node (<see cref="Console"/>) is kept for <c>skein logs</c>, by process. It goes where it went, too.</summary>
    public bool KeepOutput { get; init; }

    /// <summary>
    /// A folder that keeps the code which processes bring, so that those which are stored go on when the node is started again; nodes of one user can share it.
    /// Null: code goes with its last process.
    /// </summary>
    public string? CodeFolder { get; init; }

    /// <summary>Keeps what <c>Here.Checkpoint</c> stores. All that it has goes on when the node starts. The node does not dispose of it.</summary>
    public MobileStore? Store { get; init; }

    /// <summary>How long another node may take to answer an offer of a process, which stays then; by default 10 s.</summary>
    public TimeSpan AnswerLimit { get; init; } = TimeSpan.FromSeconds(10);
}
