using System.Reflection;

namespace Skein;

/// <summary>What a reader takes the application's modules from, where these are not the ones that this process was started with.</summary>
abstract class ModuleSource
{
    /// <summary>Null for one of those that this process was started with.</summary>
    public abstract KnownModule? Find(string name, Guid mvid);

    /// <summary>What takes the place of a type of the application.</summary>
    public virtual Type Map(Type type) => type;

    /// <summary>The method that a description means.</summary>
    public virtual MethodInfo Method(Type type, int row, Type[] arguments) => TypePolicy.Method(type, row, arguments);

    /// <summary>For objects that were written with other fields than their class has; null for all others.</summary>
    public virtual Codec? CodecFor(Type type) => null;
}
