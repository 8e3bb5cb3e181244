namespace Skein;

/// <summary>
/// The framework's types that travel field by field: data without a tie to their place. By name, so that none is loaded before it is
/// used. Types with a codec of their own (lists, dictionaries, dates and so on) need not be here.
/// </summary>
static class FrameworkTypes
{
    static readonly HashSet<string> Listed =
    [
        // values
        "System.Collections.Generic.KeyValuePair`2", "System.Collections.DictionaryEntry", "System.Index", "System.Range", "System.Text.Rune",
        "System.ValueTuple", "System.ValueTuple`1", "System.ValueTuple`2", "System.ValueTuple`3", "System.ValueTuple`4", "System.ValueTuple`5",
        "System.ValueTuple`6", "System.ValueTuple`7", "System.ValueTuple`8", "System.Tuple`1", "System.Tuple`2", "System.Tuple`3", "System.Tuple`4",
        "System.Tuple`5", "System.Tuple`6", "System.Tuple`7", "System.Tuple`8", "System.Runtime.CompilerServices.StrongBox`1", "System.EventArgs",
        "System.Numerics.BigInteger", "System.Numerics.Complex", "System.Numerics.Vector2", "System.Numerics.Vector3", "System.Numerics.Vector4",
        "System.Numerics.Quaternion", "System.Numerics.Plane", "System.Numerics.Matrix3x2", "System.Numerics.Matrix4x4",
        "System.Drawing.Point", "System.Drawing.PointF", "System.Drawing.Size", "System.Drawing.SizeF", "System.Drawing.Rectangle", "System.Drawing.RectangleF",
        "System.Random", "System.Random+XoshiroImpl", "System.Random+Net5CompatSeedImpl", "System.Random+CompatSeedImpl", "System.Random+CompatDerivedImpl", "System.Random+Net5CompatDerivedImpl", "System.Random+CompatPrng",
        "System.Threading.Tasks.ValueTask",

        // collections
        "System.Collections.Generic.Queue`1", "System.Collections.Generic.Stack`1", "System.Collections.Generic.LinkedList`1",
        "System.Collections.Generic.LinkedListNode`1", "System.Collections.Generic.SortedList`2", "System.Collections.Generic.SortedList`2+KeyList",
        "System.Collections.Generic.SortedList`2+ValueList", "System.Collections.Generic.SortedSet`1", "System.Collections.Generic.SortedSet`1+Node",
        "System.Collections.Generic.TreeSet`1", "System.Collections.Generic.SortedDictionary`2", "System.Collections.Generic.SortedDictionary`2+KeyCollection",
        "System.Collections.Generic.SortedDictionary`2+ValueCollection", "System.Collections.Generic.SortedDictionary`2+KeyValuePairComparer",
        "System.Collections.Generic.ComparisonComparer`1", "System.Collections.Generic.PriorityQueue`2", "System.Collections.Generic.PriorityQueue`2+UnorderedItemsCollection",
        "System.Collections.Generic.Dictionary`2+KeyCollection", "System.Collections.Generic.Dictionary`2+ValueCollection", "System.Collections.Generic.List`1",
        "System.Collections.ObjectModel.Collection`1", "System.Collections.ObjectModel.ReadOnlyCollection`1", "System.Collections.ObjectModel.KeyedCollection`2",
        "System.Collections.ObjectModel.ReadOnlyDictionary`2", "System.Collections.ObjectModel.ReadOnlyDictionary`2+KeyCollection",
        "System.Collections.ObjectModel.ReadOnlyDictionary`2+ValueCollection", "System.Collections.ObjectModel.ReadOnlySet`1",
        "System.Collections.ArrayList", "System.Collections.Queue", "System.Collections.Stack",
        "System.Collections.Immutable.ImmutableArray`1", "System.Collections.Immutable.ImmutableList`1", "System.Collections.Immutable.ImmutableList`1+Node",
        "System.Collections.Immutable.ImmutableStack`1", "System.Collections.Immutable.ImmutableQueue`1",
        "System.Collections.Immutable.ImmutableSortedSet`1", "System.Collections.Immutable.ImmutableSortedSet`1+Node",
        "System.Collections.Immutable.ImmutableSortedDictionary`2", "System.Collections.Immutable.ImmutableSortedDictionary`2+Node",
        "System.Linq.Grouping`2",

        // enumerators
        "System.CharEnumerator", "System.SZGenericArrayEnumerator`1", "System.ArrayEnumerator", "System.ArraySegment`1+Enumerator",
        "System.Collections.Generic.List`1+Enumerator", "System.Collections.Generic.Queue`1+Enumerator", "System.Collections.Generic.Stack`1+Enumerator",
        "System.Collections.Generic.LinkedList`1+Enumerator", "System.Collections.Generic.SortedSet`1+Enumerator",
        "System.Collections.Generic.SortedDictionary`2+Enumerator", "System.Collections.Generic.SortedDictionary`2+KeyCollection+Enumerator",
        "System.Collections.Generic.SortedDictionary`2+ValueCollection+Enumerator", "System.Collections.Generic.SortedList`2+Enumerator",
        "System.Collections.Generic.SortedList`2+SortedListKeyEnumerator", "System.Collections.Generic.SortedList`2+SortedListValueEnumerator",
        "System.Collections.Generic.PriorityQueue`2+UnorderedItemsCollection+Enumerator",
        "System.Collections.Immutable.ImmutableArray`1+Enumerator", "System.Collections.Immutable.ImmutableArray`1+EnumeratorObject",
    ];

    /// <summary>Base classes of the others that have fields of their own; and exceptions, whose numbers and texts travel too: those of the core library that have any.</summary>
    static readonly HashSet<string> InOthers =
    [
        "System.SZGenericArrayEnumeratorBase",
        "System.Exception", "System.ArgumentException", "System.ArgumentOutOfRangeException", "System.AggregateException", "System.BadImageFormatException",
        "System.IO.FileLoadException", "System.IO.FileNotFoundException", "System.MissingMemberException", "System.NotFiniteNumberException",
        "System.ObjectDisposedException", "System.OperationCanceledException", "System.Threading.Tasks.TaskCanceledException", "System.TypeInitializationException", "System.TypeLoadException",
    ];

    /// <summary>Where all these types are.</summary>
    public static readonly string[] Assemblies =
    [
        "System.Private.CoreLib", "System.Collections", "System.Linq", "System.Collections.Immutable", "System.Collections.NonGeneric", "System.ObjectModel",
        "System.Runtime.Numerics", "System.Drawing.Primitives",
    ];

    /// <summary>Whether its fields are in images; by its name, nested ones as reflection writes them.</summary>
    public static bool TravelsByFields(string name) => Listed.Contains(name) || InOthers.Contains(name) || name.StartsWith("System.Linq.Enumerable+", StringComparison.Ordinal);

    public static bool Contains(Type type)
    {
        var definition = type.IsConstructedGenericType ? type.GetGenericTypeDefinition() : type;
        return definition.FullName is { } name && (Listed.Contains(name) || IsQuery(definition));
    }

    /// <summary>The iterators of LINQ are plain objects: a source, functions, a position.</summary>
    static bool IsQuery(Type definition) =>
        definition.DeclaringType?.FullName == "System.Linq.Enumerable" && definition.Assembly.GetName().Name == "System.Linq" && !definition.IsAbstract
        || definition.FullName is "System.Linq.Enumerable+Iterator`1";
}
