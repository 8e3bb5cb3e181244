namespace Skein;

/// <summary>An image for somebody outside; the process goes on.</summary>
sealed class Snapshot(Ask ask) : Cut
{
    public override Ask Ask => ask;

    public override bool Take(Resident process, byte[] image)
    {
        ask.Succeed(process.Node, process, image);
        return false;
    }

    public override void Fail(Exception error) => ask.Fail(error);
}
