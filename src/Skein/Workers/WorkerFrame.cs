namespace Skein;

/// <summary>What parent and worker say to each other.</summary>
enum WorkerFrame : byte
{
    /// <summary>Ring of calls: slot, job.</summary>
    Call,

    /// <summary>Ring of results: slot, microseconds it ran, result.</summary>
    Result,

    /// <summary>Ring of results: slot, microseconds it ran, <see cref="FaultRecord"/>.</summary>
    Fault,

    /// <summary>Ring of results: reference of the progress, value.</summary>
    Progress,

    /// <summary>Ring of results: reference of the callback, number of the request, argument.</summary>
    Callback,

    /// <summary>Ring of results: the worker serves calls from now on.</summary>
    Ready,

    /// <summary>Control: number of a descriptor, which comes with it.</summary>
    Descriptor,

    /// <summary>Control: reference of a token.</summary>
    Cancel,

    /// <summary>Control: slot whose function is asked to stop.</summary>
    StopCall,

    /// <summary>Control: number of the request, 1 when more pieces follow, bytes of the answer.</summary>
    Answer,

    /// <summary>Control: number of a block of memory that will not be used again.</summary>
    Forget,

    /// <summary>Control: end when the calls that were sent are done.</summary>
    End,

    /// <summary>Stream: slot, one more than the item of a chunk that starts now; 0: the call itself starts.</summary>
    Item,

    /// <summary>Stream: microseconds in its own code and in the kernel, peak of its memory in bytes: the last words of a worker.</summary>
    Use,
}
