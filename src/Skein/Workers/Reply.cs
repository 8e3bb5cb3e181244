using System.Diagnostics;

namespace Skein;

/// <summary>Where a job that runs in a worker returns its result: one slot of the connection to the parent. In a rehearsal it is written, but not sent.</summary>
readonly struct Reply(WorkerOutbox outbox, int slot, long started, bool isRehearsal = false)
{
    public void Return<T>(T result) => outbox.Send(WorkerFrame.Result, slot, Elapsed, result, isRehearsal);

    public void Fail(Exception error) => outbox.Send(WorkerFrame.Fault, slot, Elapsed, FaultRecord.Of(error));

    /// <summary>Tells the parent which item of a chunk runs from now on.</summary>
    public void StartItem(int index)
    {
        WorkerProgram.Current?.StartItem(index);
        outbox.Show(slot, index);
    }

    ulong Elapsed => (ulong)((Stopwatch.GetTimestamp() - started) * 1_000_000 / Stopwatch.Frequency);
}
