namespace Skein.Bench.Hello;

/// <summary>A function that goes to a node which has none of this code.</summary>
public static class Flow
{
    /// <summary>Goes there, and says from where it came and where it is.</summary>
    public static async Mobile<string> GoAsync(string node)
    {
        var (from, trail) = (Here.Node, new List<string> { "from" });
        await Here.MoveTo(node);
        trail.Add(from!);
        return $"{string.Join(' ', trail)} to {Here.Node}";
    }
}
