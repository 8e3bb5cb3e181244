using System.Collections.Concurrent;

namespace Skein;

/// <summary>
/// Whose letters this node, which is asked for their receivers, has sent on, and to which node: when that ends they may be lost with it, and the nodes of their
/// senders need not know it.
/// </summary>
sealed class ForwardedLetters
{
    readonly ConcurrentDictionary<string, ConcurrentDictionary<string, ConcurrentDictionary<string, string>>> _nodes = new();   // receivers, senders, and where these are asked

    /// <summary>Before a letter is sent on.</summary>
    public void Note(string node, string receiver, Letter letter) =>
        _nodes.GetOrAdd(node, static _ => new()).GetOrAdd(receiver, static _ => new())[letter.Sender] = letter.ReturnTo;

    /// <summary>The node has ended.</summary>
    public IEnumerable<(string Receiver, string Sender, string ReturnTo)> Lose(string node) =>
        _nodes.TryRemove(node, out var receivers) ? receivers.SelectMany(static receiver => receiver.Value.Select(sender => (receiver.Key, sender.Key, sender.Value))) : [];

    /// <summary>The receiver has ended.</summary>
    public void Forget(string receiver)
    {
        foreach (var (_, receivers) in _nodes)
            receivers.TryRemove(receiver, out _);
    }
}
