namespace Skein;

/// <summary>An image for somebody outside; the process goes on.</summary>
sealed class Snapshot : Cut
{
    readonly TaskCompletionSource<byte[]> _image = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<byte[]> Image => _image.Task;

    public override bool IsAskedOutside => true;

    public override void Take(Resident process, byte[] image) => _image.TrySetResult(image);

    public override void Fail(Exception error)
    {
        _image.TrySetException(error);
        _ = _image.Task.Exception;   // seen: who asked may have gone
    }
}
