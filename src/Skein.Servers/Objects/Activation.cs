namespace Skein;

/// <summary>Whose an object is: for how long, and for whom, one that was created on a first call is the same.</summary>
public enum Activation
{
    /// <summary>One object for all clients, until it has been idle for long (then its state goes to the store).</summary>
    Shared,

    /// <summary>One object for each client, until that client's connection ends.</summary>
    PerClient,

    /// <summary>A new object for each call.</summary>
    PerCall,
}

/// <summary>What runs the calls of objects. Under each of them an object does one call at a time, in order of arrival.</summary>
public enum ObjectThreads
{
    /// <summary>The thread pool: for objects that await.</summary>
    Pool,

    /// <summary>A thread for each object, as long as it is active: for objects that block, or that belong to one thread.</summary>
    PerObject,

    /// <summary>One thread for all objects of this interface: they do one call at a time between them, and need no locks for what they share.</summary>
    PerInterface,
}
