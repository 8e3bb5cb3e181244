using System.Buffers;
using System.Runtime.ExceptionServices;

namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>Of this node object: another one of the same name has none of what was fastened to this one.</summary>
    internal Guid Life { get; } = Guid.NewGuid();

    internal FastenedObjects Fastened { get; } = new();

    /// <summary>Asks another node, or this one. What passes between them is bytes.</summary>
    /// <exception cref="NodeNotConnectedException">There is no connection, or it broke.</exception>
    /// <exception cref="Exception">What the other failed with.</exception>
    internal async Task<T> AskAsync<T>(string node, NodeRequest<T> request)
    {
        var answer = await ExchangeAsync(node, Encode<NodeRequest>(request)).ConfigureAwait(false);
        var outcome = GraphCodec.Decode<MobileOutcome>(answer) as MobileOutcome<T> ?? throw new InvalidDataException($"Node {node} has answered another question.");
        if (outcome.Error is { } error)
            ExceptionDispatchInfo.Throw(error);
        return outcome.Result;
    }

    /// <summary>The one seam: bytes to another node, and its answer.</summary>
    Task<byte[]> ExchangeAsync(string node, byte[] request)
    {
        var peer = node == Name ? this : _peers.GetValueOrDefault(node) ?? throw new NodeNotConnectedException(Name, node);
        return Task.Run(() => peer.AnswerAsync(request));
    }

    /// <summary>A request of another node.</summary>
    internal async Task<byte[]> AnswerAsync(byte[] request)
    {
        try
        {
            return Encode(await GraphCodec.Decode<NodeRequest>(request).AnswerAsync(this).ConfigureAwait(false));
        }
        catch (Exception e) when (e is CannotTravelException or MessageTooLargeException or ModuleVersionException or InvalidDataException)
        {
            return Encode(MobileOutcome.Failed(e));
        }
    }

    /// <summary>A node that cannot be told keeps what the process has left there until it ends itself.</summary>
    async Task ReleaseAsync(string owner, string process)
    {
        try
        {
            await AskAsync(owner, new ReleaseRequest(process)).ConfigureAwait(false);
        }
        catch (IOException)
        {
        }
    }

    static byte[] Encode<T>(T value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        GraphCodec.Encode(value, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}

/// <summary>There is no connection to a node, or it broke while that was asked.</summary>
sealed class NodeNotConnectedException(string from, string to) : IOException($"node {from} is not connected with node {to}.");
