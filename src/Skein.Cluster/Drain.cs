namespace Skein;

/// <summary>Moves all that is at a node to others, which is closed from then on.</summary>
/// <param name="within">How long each process may take.</param>
sealed class Drain(MobileNode node, NodePrograms programs, TimeSpan within, CancellationToken cancellation)
{
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);

    readonly Dictionary<string, string> _staying = [];
    int _turn;   // who is asked first: all get the same

    /// <returns>The ids of those that stay, and why.</returns>
    public async Task<IReadOnlyDictionary<string, string>> RunAsync()
    {
        node.IsClosed = true;
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var all = node.List().ToArray();
            var moves = all.Where(status => status.Peer is null && !_staying.ContainsKey(status.Id)).Select(status => MoveAsync(status.Id)).ToArray();
            foreach (var (id, why) in await Task.WhenAll(moves).ConfigureAwait(false))
            {
                if (why is not null)
                    _staying[id] = why;
            }
            if (moves.Length > 0)
                continue;
            // Those that were on their way when it was closed: whether they are here is known soon, unless the other node does not answer.
            var doubtful = all.Where(static status => status.Peer is not null).ToArray();
            if (doubtful.Length > 0 && TimeProvider.System.GetElapsedTime(began) < within)
            {
                await Task.Delay(Moment, cancellation).ConfigureAwait(false);
                continue;
            }
            foreach (var status in doubtful)
                _staying[status.Id] = $"it was on its way when the node was drained, and node {status.Peer} does not answer.";
            break;
        }
        foreach (var (id, program) in programs.Running)
            _staying[id] = $"{program.Name} is a program, which cannot move.";
        await node.FlushAsync().ConfigureAwait(false);   // letters that were sent on
        return _staying;
    }

    async Task<(string Id, string? Why)> MoveAsync(string id)
    {
        var others = node.Peers.All.Where(static peer => peer.IsConnected && !peer.IsGuest).Select(static peer => peer.Name).Order().ToArray();
        var (first, why) = (_turn++, "no other node is connected.");
        for (var i = 0; i < others.Length; i++)
        {
            try
            {
                await node.AskAsync(id, AskKind.Move, others[(first + i) % others.Length], "could not be moved", within, cancellation).ConfigureAwait(false);
                return (id, null);
            }
            catch (CannotMoveException e) when (e.IsEnd)
            {
                return (id, null);
            }
            catch (Exception e) when (e is CannotMoveException or NodeLostException)
            {
                why = e.Message;
            }
        }
        return (id, why);
    }
}
