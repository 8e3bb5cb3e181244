namespace Skein;

/// <summary>The base of the attributes that say what becomes of the resource in a field when the object around it travels.</summary>
[AttributeUsage(AttributeTargets.Field)]
public abstract class BindingAttribute : Attribute
{
    private protected BindingAttribute()
    {
    }

    /// <summary>How the value of a field of this type travels, whatever its class at run time: a codec of a <see cref="ValueCodec{T}"/> of the type.</summary>
    internal abstract Type Codec(Type field);
}
