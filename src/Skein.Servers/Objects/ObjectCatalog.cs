namespace Skein;

/// <summary>The interfaces that an <see cref="ObjectServer"/> serves, and how an object behind each of them is made.</summary>
public sealed class ObjectCatalog
{
    readonly Dictionary<string, ObjectKind> _kinds = [];

    /// <summary>Adds an interface.</summary>
    /// <typeparam name="T">The interface. Its methods may be synchronous or return a task; of their parameters one may be a <see cref="CancellationToken"/>.</typeparam>
    /// <param name="create">Makes the object of a name, on the first call of it; null: there is no such object. One that implements <see cref="IPassivated{TState}"/> gets its state before its first call.</param>
    /// <param name="activation">Whose it is.</param>
    /// <param name="threads">What runs its calls.</param>
    /// <param name="durable">Whether its state goes to the store before each answer, not only when it is idle.</param>
    /// <returns>This catalog.</returns>
    /// <exception cref="ArgumentException">It is no interface, one of its methods cannot be called from elsewhere, or it was added before.</exception>
    public ObjectCatalog Add<T>(
        Func<string, T?> create, Activation activation = Activation.Shared, ObjectThreads threads = ObjectThreads.Pool, bool durable = false)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(create);
        var described = ObjectInterface.Of(typeof(T));
        if (!_kinds.TryAdd(described.Name, new(described, create, activation, threads, durable)))
            throw new ArgumentException($"{described.Name} is in the catalog already.", nameof(T));
        return this;
    }

    internal IReadOnlyCollection<ObjectKind> Kinds => _kinds.Values;
}

/// <summary>An interface that is served.</summary>
sealed record ObjectKind(ObjectInterface Interface, Func<string, object?> Create, Activation Activation, ObjectThreads Threads, bool IsDurable);
