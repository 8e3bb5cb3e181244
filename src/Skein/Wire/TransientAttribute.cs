namespace Skein;

/// <summary>
/// A field that does not travel: it is left out, and holds the default value of its type on the other side. For what can be made again
/// there: a cache, a connection.
/// </summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class TransientAttribute : Attribute;
