using System.Text.Json;

namespace Skein;

/// <summary>
/// An object with a state that outlives it: set before its first call, and taken to the server's store when it is idle, when the server
/// stops, and, if it is durable, before each answer. Stored as JSON, so it survives new builds.
/// </summary>
/// <typeparam name="TState">The state; for a name that the store does not know, a new one.</typeparam>
public interface IPassivated<TState> : IPassivated
    where TState : class, new()
{
    /// <summary>The state: the object may keep it and change it.</summary>
    TState State { get; set; }

    byte[] IPassivated.Save() => JsonSerializer.SerializeToUtf8Bytes(State);

    void IPassivated.Load(byte[]? state) =>
        State = state is null ? new() : JsonSerializer.Deserialize<TState>(state) ?? throw new JsonException("The state in the store is null.");
}

/// <summary>The same, for objects that write their state themselves.</summary>
public interface IPassivated
{
    /// <summary>The state as bytes.</summary>
    byte[] Save();

    /// <summary>Takes a state over.</summary>
    /// <param name="state">What <see cref="Save"/> gave; null: there is none yet.</param>
    void Load(byte[]? state);
}
