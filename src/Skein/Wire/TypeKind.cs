namespace Skein;

/// <summary>How a type is described the first time.</summary>
enum TypeKind : byte
{
    /// <summary>Assembly and name: only for types of the shared framework.</summary>
    Framework,

    /// <summary>Module and metadata token.</summary>
    Application,

    /// <summary>Definition and arguments.</summary>
    Generic,

    /// <summary>Of one dimension: element.</summary>
    Array,

    /// <summary>Of several: count of dimensions, element.</summary>
    RankedArray,
}
