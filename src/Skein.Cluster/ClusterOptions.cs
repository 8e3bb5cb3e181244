namespace Skein;

/// <summary>How a node of a cluster is made.</summary>
public sealed record ClusterOptions
{
    /// <summary>Where the nodes of this user and machine find each other. By default <c>$SKEIN_HOME/nodes</c>, else a folder of the user's own.</summary>
    public string? Folder { get; init; }

    /// <summary>Keeps what <c>Here.Checkpoint</c> stores. All that it has goes on when the node starts. The node does not dispose of it.</summary>
    public MobileStore? Store { get; init; }

    /// <summary>How long another node may take to answer an offer of a process, which stays then; by default 10 s.</summary>
    public TimeSpan AnswerLimit { get; init; } = TimeSpan.FromSeconds(10);
}
