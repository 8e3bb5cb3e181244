namespace Skein;

public sealed partial class MobileNode
{
    /// <summary>
    /// Runs a mobile function at the first of these nodes that takes it, and hears its result. If its node is lost it is started again, from its beginning
    /// and with its arguments, at the next; so it must be one that may run more than once. What it stores is another matter: see <c>Here.Checkpoint</c>.
    /// </summary>
    /// <param name="nodes">Names of nodes that this one is connected with, or its own.</param>
    /// <exception cref="CannotMoveException">None of them took it.</exception>
    /// <exception cref="NodeLostException">It was lost with the last of them.</exception>
    /// <exception cref="CannotTravelException">The function has captured something that belongs to this place.</exception>
    /// <exception cref="Exception">What the function threw.</exception>
    public async Task<T> RunAsync<T>(Func<Mobile<T>> function, params IReadOnlyList<string> nodes)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentOutOfRangeException.ThrowIfZero(nodes.Count, nameof(nodes));
        var beginning = Encode(function);
        for (var i = 0; ; i++)
        {
            MobileProcess<T> process;
            try
            {
                process = await PlaceAsync<T>(beginning, nodes[i], null, default).ConfigureAwait(false);
            }
            catch (CannotMoveException) when (i + 1 < nodes.Count)
            {
                continue;   // the next may be there
            }
            process.Raise(Beginning, true);
            try
            {
                return await process.Completion.ConfigureAwait(false);
            }
            catch (NodeLostException) when (i + 1 < nodes.Count)
            {
                // It is what this was called for.
            }
        }
    }

    /// <summary>What a process that was placed waits for before it begins.</summary>
    internal const string Beginning = "Skein: begin";

    /// <summary>A process that is at a node and has not begun.</summary>
    internal async Task<MobileProcess<T>> PlaceAsync<T>(byte[] beginning, string node, TimeSpan? within, CancellationToken cancellation)
    {
        var function = Decode<Func<Mobile<T>>>(beginning);
        var process = Start(Begin(function), restartable: false, function.Method.Module.Assembly);
        process.MayRestart(beginning);
        try
        {
            await process.MoveToAsync(node, within, cancellation).ConfigureAwait(false);
        }
        catch
        {
            process.Kill();
            throw;
        }
        return process;
    }

    static Func<Mobile<T>> Begin<T>(Func<Mobile<T>> function) => async () =>
    {
        await ToBegin();
        return await function();
    };

    static Mobile<bool> ToBegin()
    {
        var process = Resident.Require();
        if (process.State.TryTake<bool>(Beginning, out var told))
            return new(told);
        var wait = new MessageWait<bool>(Beginning);
        wait.Begin(process);
        return new(wait);
    }
}
