namespace Skein;

/// <summary>What a node asks another one, beside processes and letters.</summary>
abstract class NodeRequest
{
    /// <summary>Carries it out, at the node that was asked; never throws.</summary>
    public abstract Task<MobileOutcome> AnswerAsync(MobileNode node);
}

/// <summary>The same, with a result. A result that cannot travel fails the request.</summary>
abstract class NodeRequest<T> : NodeRequest
{
    public sealed override async Task<MobileOutcome> AnswerAsync(MobileNode node)
    {
        try
        {
            return new MobileOutcome<T> { Result = await RunAsync(node).ConfigureAwait(false) };
        }
        catch (Exception e)
        {
            return new MobileOutcome<T> { Error = e };
        }
    }

    protected abstract ValueTask<T> RunAsync(MobileNode node);
}
