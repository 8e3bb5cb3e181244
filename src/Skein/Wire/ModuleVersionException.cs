using System.Reflection;

namespace Skein;

/// <summary>
/// The two sides run different builds of a module, so that a type or function of one means nothing in the other. The message names
/// both. Start the other process again from the same files.
/// </summary>
public sealed class ModuleVersionException : InvalidOperationException
{
    internal ModuleVersionException(string sent, string? here) : base(
        here is null ? $"The sender uses {sent}, which is not part of this application or cannot be loaded."
        : $"The sender uses {sent}, this process {here}: start both from the same build.")
    {
        Sent = sent;
        Here = here;
    }

    /// <summary>The sender's module: name, version, MVID and, where it was sent, path.</summary>
    public string Sent { get; }

    /// <summary>The module of that name in this process, or null.</summary>
    public string? Here { get; }

    /// <summary>Which is not here.</summary>
    internal (string Name, Guid Mvid) Module { get; init; }

    internal static string Describe(string name, Version? version, Guid mvid, string path) =>
        $"{name} {version} ({mvid}{(path.Length > 0 ? ", " + path : "")})";

    internal static string Describe(Module module)
    {
        var name = module.Assembly.GetName();
        return Describe(name.Name ?? "", name.Version, module.ModuleVersionId, module.Assembly.Location);
    }
}
