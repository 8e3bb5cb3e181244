namespace Skein;

/// <summary>How a process came out of <see cref="MobileNode.UpgradeAsync"/>.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="WhyNot">Null when it goes on in the other build; else which function keeps it in its own, where it goes on.</param>
public sealed record Upgraded(string ProcessId, string? WhyNot);

/// <summary>The wish to go on in another build, at the same node.</summary>
sealed class UpgradeCut(LoadedBuild build) : Cut
{
    readonly TaskCompletionSource<Upgraded?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: it uses nothing of which the other build has another version.</summary>
    public Task<Upgraded?> Done => _done.Task;

    public override bool Leaves => true;

    public override bool Take(Resident process, byte[] image)
    {
        var upgrading = new Upgrading(process.State.Space, build.Modules());
        var space = process.Node.Modules.Enter(build);
        try
        {
            var (state, finish) = MobileImage.Read(image, process.Node, space, upgrading);
            if (upgrading.IsConcerned)
            {
                process.Become(state, finish);
                _done.TrySetResult(new(process.Id, null));
                return false;
            }
            state.Discard();
            _done.TrySetResult(null);
        }
        catch (Exception e)   // of whatever kind: it goes on as it was
        {
            space?.Leave();
            _done.TrySetResult(new(process.Id, e.Message));
        }
        return false;
    }

    public override void Fail(Exception error) => _done.TrySetResult(new("", error.Message));

    /// <summary>It is not at this node any more.</summary>
    public void Drop() => _done.TrySetResult(null);
}

/// <summary>Asks a process that is here to go on in another build; not one that has left meanwhile.</summary>
sealed class UpgradeRequest(UpgradeCut cut) : InboxItem
{
    public override void Apply(Resident resident) => resident.Wish(cut);

    public override void Miss(MobileNode node, string process) => cut.Drop();
}
