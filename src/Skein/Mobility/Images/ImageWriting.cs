using System.Net.Sockets;

namespace Skein;

/// <summary>An image that is being written: what the bindings of its process need for that, and what they leave to be done if it goes.</summary>
sealed class ImageWriting(MobileNode node, string process)
{
    List<Action>? _whenLeft, _whenOver;

    public MobileNode Node => node;

    public string ProcessId => process;

    /// <summary>Whether it is read now, at once, by whoever takes over: not stored, and not looked at.</summary>
    public bool IsHandedOver { get; init; }

    /// <summary>Those that leave with the process; null while there are none.</summary>
    public List<Socket>? Sockets { get; set; }

    /// <summary>The one that a resource is written for.</summary>
    /// <exception cref="Refusal">It is written into something else: a message, a result.</exception>
    public static ImageWriting Of(GraphWriter writer, object value) => writer.Context as ImageWriting
        ?? throw new Refusal(value, value.GetType(), $"{SourceNames.Of(value.GetType())} is bound to its mobile process and travels with that only, not in a message or a result");

    /// <summary>To be done once the process has left, and only then.</summary>
    public void WhenLeft(Action action) => (_whenLeft ??= []).Add(action);

    /// <summary>To be done once nobody reads this image any more: the process has left, or stays.</summary>
    public void WhenOver(Action action) => (_whenOver ??= []).Add(action);

    public void Left()
    {
        foreach (var action in _whenLeft ?? [])
            action();
        _whenLeft = null;
        Over();
    }

    public void Over()
    {
        foreach (var action in _whenOver ?? [])
            action();
        _whenOver = null;
    }
}
