using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>Of this node object: another one of the same name has none of what was fastened to this one.</summary>
    internal Guid Life { get; } = Guid.NewGuid();

    internal FastenedObjects Fastened { get; } = new();

    readonly ConcurrentDictionary<long, (string Node, TaskCompletionSource<byte[]> Answered)> _requests = new();
    long _lastRequest;

    /// <summary>Asks another node, or this one. What passes between them is bytes.</summary>
    /// <exception cref="NodeNotConnectedException">There is no connection, or it broke.</exception>
    /// <exception cref="Exception">What the other failed with.</exception>
    internal async Task<T> AskAsync<T>(string node, NodeRequest<T> request)
    {
        var answer = await ExchangeAsync(node, Encode<NodeRequest>(request)).ConfigureAwait(false);
        var outcome = Decode<MobileOutcome>(answer);
        if (outcome.Error is { } error)   // of whatever result
            ExceptionDispatchInfo.Throw(error);
        return outcome is MobileOutcome<T> { Result: var result } ? result : throw new InvalidDataException($"Node {node} has answered another question.");
    }

    /// <summary>The one seam: bytes to another node, and its answer.</summary>
    async Task<byte[]> ExchangeAsync(string node, byte[] request)
    {
        if (node == Name)
            return await Task.Run(() => AnswerAsync(request)).ConfigureAwait(false);
        var number = Interlocked.Increment(ref _lastRequest);
        var answered = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _requests[number] = (node, answered);
        Send(node, Numbered(PeerMessageKind.Request, number, request));
        if (_peers.Find(node) is not { IsConnected: true })
            BreakRequests(node);
        return await answered.Task.ConfigureAwait(false);
    }

    /// <summary>Whether those that were under way were carried out nobody knows.</summary>
    void BreakRequests(string node)
    {
        foreach (var (number, (to, answered)) in _requests)
        {
            if (to == node && _requests.TryRemove(number, out _))
                answered.TrySetException(new NodeNotConnectedException(Name, node));
        }
    }

    void TakeRequest(string from, long number, byte[] request) => _ = Task.Run(async () =>
        Send(from, Numbered(PeerMessageKind.Response, number, await AnswerAsync(request).ConfigureAwait(false))));

    void TakeResponse(long number, byte[] response)
    {
        if (_requests.TryRemove(number, out var request))
            request.Answered.TrySetResult(response);
    }

    static byte[] Numbered(PeerMessageKind kind, long number, byte[] bytes)
    {
        var message = PeerMessage.Begin(kind);
        message.WriteNumber((ulong)number);
        message.WriteBytes(bytes);
        return message.End();
    }

    /// <summary>Waits a moment until other nodes have had all that was said to them.</summary>
    internal async Task FlushAsync()
    {
        var answers = _peers.All.Where(static peer => peer.IsOpen && !peer.IsGuest).Select(peer => AskAsync(peer.Name, new EchoRequest()));
        Task all = Task.WhenAll(answers);
        await all.WaitAsync(TimeSpan.FromSeconds(1), Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A request of another node.</summary>
    internal async Task<byte[]> AnswerAsync(byte[] request)
    {
        try
        {
            return Write(await Decode<NodeRequest>(request).AnswerAsync(this).ConfigureAwait(false));
        }
        catch (Exception e)   // of whatever kind: the application's code runs when its keys are hashed, and whoever asked waits
        {
            return Write(MobileOutcome.Failed(e));
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

/// <summary>Asks for nothing: its answer says that all that was said before has come.</summary>
sealed class EchoRequest : NodeRequest<bool>
{
    protected override ValueTask<bool> RunAsync(MobileNode node) => new(true);
}
