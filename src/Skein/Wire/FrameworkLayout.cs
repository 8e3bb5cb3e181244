using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Text;

namespace Skein;

/// <summary>
/// Which fields those types of the framework have that travel by their fields. Two versions of .NET in which they are the same read each other's images;
/// another one would put values into wrong fields.
/// </summary>
/// <param name="Version">Of .NET, for people.</param>
/// <param name="Fingerprint">CRC-32C of the names and types of the fields, in order, of all of these types.</param>
sealed record FrameworkLayout(Version Version, uint Fingerprint)
{
    /// <summary>In the header of an image: three numbers of the version, none of which has ever been above 255, and the fingerprint.</summary>
    public const int Size = 3 + sizeof(uint);

    static readonly Lazy<FrameworkLayout> OfThisProcess = new(static () => new(Environment.Version, Compute()));

    /// <summary>That of the framework which this process runs on. The first who asks pays for it.</summary>
    public static FrameworkLayout Own => OfThisProcess.Value;

    /// <summary>The modules' tables are read, since to load some two hundred types only to look at their fields would take thrice as long.</summary>
    static uint Compute() => Compute(FrameworkTypes.Assemblies.Select(Tables).OfType<MetadataReader>());

    public static uint Compute(IEnumerable<MetadataReader> modules)
    {
        var text = new StringBuilder();
        foreach (var tables in modules)
            Describe(tables, text);
        return Crc32C.Of(Encoding.UTF8.GetBytes(text.ToString()));
    }

    static unsafe MetadataReader? Tables(string assembly) =>
        KnownModule.Load(assembly) is { } loaded && loaded.TryGetRawMetadata(out var start, out var length) ? new(start, length) : null;

    static void Describe(MetadataReader tables, StringBuilder text)
    {
        foreach (var handle in tables.TypeDefinitions)
        {
            var type = tables.GetTypeDefinition(handle);
            var name = NameOf(tables, type);
            if (!FrameworkTypes.TravelsByFields(name))
                continue;
            text.Append(name).Append(' ');
            if (type.BaseType is { IsNil: false } parent)
                text.Append(NameOf(tables, parent));
            foreach (var each in type.GetFields())
            {
                var field = tables.GetFieldDefinition(each);
                if ((field.Attributes & FieldAttributes.Static) == 0)
                    DescribeType(tables, tables.GetBlobReader(field.Signature), text.Append('\n').Append(tables.GetString(field.Name)));
            }
            text.Append('\n');
        }
    }

    /// <summary>A signature as it stands in the tables, with the names of the types that it refers to by their rows, which another version has elsewhere.</summary>
    static void DescribeType(MetadataReader tables, BlobReader signature, StringBuilder text)
    {
        while (signature.RemainingBytes > 0)
        {
            var part = (SignatureTypeCode)signature.ReadCompressedInteger();
            text.Append(' ').Append((int)part);
            if ((int)part is (int)SignatureTypeKind.Class or (int)SignatureTypeKind.ValueType || part is SignatureTypeCode.RequiredModifier or SignatureTypeCode.OptionalModifier)
                text.Append(NameOf(tables, signature.ReadTypeHandle()));
        }
    }

    static string NameOf(MetadataReader tables, EntityHandle type)
    {
        switch (type.Kind)
        {
            case HandleKind.TypeDefinition:
                return NameOf(tables, tables.GetTypeDefinition((TypeDefinitionHandle)type));
            case HandleKind.TypeReference:
                var reference = tables.GetTypeReference((TypeReferenceHandle)type);
                return $"{tables.GetString(reference.Namespace)}.{tables.GetString(reference.Name)}";
            default:
                var text = new StringBuilder();
                DescribeType(tables, tables.GetBlobReader(tables.GetTypeSpecification((TypeSpecificationHandle)type).Signature), text);
                return text.ToString();
        }
    }

    static string NameOf(MetadataReader tables, TypeDefinition type)
    {
        var name = tables.GetString(type.Name);
        return type.IsNested ? $"{NameOf(tables, tables.GetTypeDefinition(type.GetDeclaringType()))}+{name}"
            : type.Namespace.IsNil ? name : $"{tables.GetString(type.Namespace)}.{name}";
    }

    public void Write(Span<byte> header)
    {
        (header[0], header[1], header[2]) = ((byte)Version.Major, (byte)Version.Minor, (byte)Version.Build);
        BinaryPrimitives.WriteUInt32LittleEndian(header[3..], Fingerprint);
    }

    public static FrameworkLayout Read(ReadOnlySpan<byte> header) =>
        new(new(header[0], header[1], header[2]), BinaryPrimitives.ReadUInt32LittleEndian(header[3..]));
}
