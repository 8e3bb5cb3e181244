namespace Skein;

/// <summary>What a process used up from its start to its exit, with those of its children that it waited for.</summary>
/// <param name="UserTime">Processor time in its own code.</param>
/// <param name="SystemTime">Processor time in the kernel on its behalf.</param>
/// <param name="PeakResidentBytes">The most physical memory that it (or one of its children) had at once.</param>
/// <param name="PeakIsUpperBound">
/// True where only this is known: the peak was no more than <paramref name="PeakResidentBytes"/>. Linux counts the memory of the
/// starting process into the peak of the started one, so the peak of a program that stayed smaller cannot be told.
/// </param>
/// <param name="MinorFaults">Page faults served without a disk.</param>
/// <param name="MajorFaults">Page faults that had to read from a disk.</param>
/// <param name="VoluntarySwitches">How often it gave up the processor to wait.</param>
/// <param name="InvoluntarySwitches">How often the processor was taken away.</param>
public readonly record struct ResourceUse(
    TimeSpan UserTime,
    TimeSpan SystemTime,
    long PeakResidentBytes,
    bool PeakIsUpperBound,
    long MinorFaults,
    long MajorFaults,
    long VoluntarySwitches,
    long InvoluntarySwitches);
