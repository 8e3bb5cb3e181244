namespace Skein;

/// <summary>How a process came out of <see cref="MobileNode.UpgradeAsync"/>.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="WhyNot">Null when it goes on in the other build; else which function keeps it in its own, where it goes on.</param>
public sealed record Upgraded(string ProcessId, string? WhyNot)
{
    /// <summary>The function that keeps it (<c>Flow.Step()</c>); null where no function does.</summary>
    public string? Function { get; init; }

    /// <summary>The source file of the line at which that waits; null where it is not known.</summary>
    public string? File { get; init; }

    /// <summary>The line.</summary>
    public int? Line { get; init; }

    internal static Upgraded Kept(string process, string why, FunctionPlace? place = null) => new(process, why) { Function = place?.Function, File = place?.File, Line = place?.Line };
}

/// <summary>The wish to go on in another build, at the same node.</summary>
/// <param name="build">That.</param>
/// <param name="isPreview">Whether it is only to be said how it would come out.</param>
sealed class UpgradeCut(LoadedBuild build, bool isPreview) : Cut
{
    readonly TaskCompletionSource<Upgraded?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: it uses nothing of which the other build has another version.</summary>
    public Task<Upgraded?> Done => _done.Task;

    public override bool Leaves => !isPreview;

    public override bool HandsOver => true;

    public override bool Take(Resident process, byte[] image)
    {
        var migrations = TryGoOn(process, image, out var result);
        _done.TrySetResult(result);
        foreach (var migration in migrations)
            migration.Frame.Begin();   // which may be the end of the process
        return false;
    }

    /// <summary>Whatever fails: it goes on as it was.</summary>
    /// <returns>What has been called, and is to be settled.</returns>
    IReadOnlyList<Migration> TryGoOn(Resident process, byte[] image, out Upgraded? result)
    {
        result = null;
        using var upgrading = new Upgrading(process.State.Space, process.Node.Modules, build.Modules());
        var space = process.Node.Modules.Enter(build);
        MobileState? state = null;
        try
        {
            (state, var finish) = MobileImage.Read(image, process.Node, space, upgrading);
            if (!upgrading.IsConcerned)
            {
                state.Discard();
                return [];
            }
            var migrations = upgrading.Migrations();
            if (isPreview)
                state.Discard();
            else
                process.Become(state, () => Finish(finish, migrations));
            result = new(process.Id, null);
            return isPreview ? [] : migrations;
        }
        catch (Exception e)
        {
            if (state is null)
                space?.Leave();
            else
                state.Discard();
            if (!process.IsGone)
                result = Upgraded.Kept(process.Id, e.Message, (e as CannotMoveException)?.Function ?? (e as CannotArriveException)?.Function);
            return [];
        }
    }

    static void Finish(Action? finish, IReadOnlyList<Migration> migrations)
    {
        finish?.Invoke();
        foreach (var migration in migrations)
            migration.Call();
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
