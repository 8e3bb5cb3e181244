namespace Skein;

/// <summary>How a function came out of <c>Here.Checkpoint()</c>.</summary>
public enum Resumption
{
    /// <summary>The image is stored, and the process goes on.</summary>
    Continued,

    /// <summary>The process was restored from this image: what it did after it, if anything, it does again.</summary>
    Restored,
}

/// <summary>Waits until an image of its process is stored.</summary>
sealed class CheckpointWait : MobileWait<Resumption>, IDescribed
{
    bool _isStored;   // true in the image only
    [Transient] bool _isStoring;

    public string Description => "the store";

    public override void Arm(Resident process)
    {
        if (_isStored)
        {
            _isStored = false;
            Succeed(Resumption.Restored);
        }
        else
        {
            process.State.IsStored = true;   // or may be: to remove what is not there is no error
            process.State.IsDurable = true;
            process.Wish(new Storing(this, process));
        }
    }

    /// <summary>While it is stored from here it stays: of two nodes that store it at once, the later could come first.</summary>
    public override bool IsStopping() => _isStoring;

    /// <summary>There is no image of it. Where calls beside it wait for the store too, what comes of theirs decides whether its letters go on waiting for that.</summary>
    void Fail(Resident process, Exception error)
    {
        var isLast = true;
        for (var other = process.Waits.First; other is not null; other = other.After)
            isLast &= other == this || other is not CheckpointWait;
        if (isLast)
            process.NoteNotStored();
        Fail(error);
    }

    sealed class Storing(CheckpointWait wait, Resident process) : Cut
    {
        public override bool Commits => true;

        public override void BeforeImage() => wait._isStored = true;

        public override void AfterImage() => wait._isStored = false;

        public override bool Take(Resident process, byte[] image)
        {
            wait._isStoring = true;
            _ = StoreAsync(process, image, StoredLetters.Of(process.State));
            return false;
        }

        public override void Fail(Exception error) => wait.Fail(process, error);

        async Task StoreAsync(Resident process, byte[] image, StoredLetters letters)
        {
            Exception? error = null;
            try
            {
                await process.SaveAsync(image).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                error = e;
            }
            process.Post(new Stored(wait, letters, error));
        }
    }

    sealed class Stored(CheckpointWait wait, StoredLetters letters, Exception? error) : InboxItem
    {
        public override void Apply(Resident resident)
        {
            wait._isStoring = false;
            if (error is null)
            {
                resident.NoteStored(letters);
                wait.Succeed(Resumption.Continued);
            }
            else
            {
                wait.Fail(resident, error);
            }
        }
    }
}
