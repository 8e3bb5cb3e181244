using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;

namespace Skein;

/// <summary>A module of an application as bytes. What it is known by is their SHA-256: the MVID inside is a name, and anybody can write one.</summary>
sealed class ModuleFile
{
    ModuleFile(string name, Guid mvid, byte[] hash, byte[] bytes)
    {
        Name = name;
        Mvid = mvid;
        Hash = Convert.ToHexString(hash);
        Bytes = bytes;
    }

    /// <summary>Of its assembly.</summary>
    public string Name { get; }

    public Guid Mvid { get; }

    /// <summary>SHA-256, hexadecimal.</summary>
    public string Hash { get; }

    public byte[] Bytes { get; }

    /// <summary>Its debugging symbols, for lines in stack traces; null when there are none.</summary>
    public byte[]? Symbols { get; init; }

    /// <summary>Of the hash, by whoever has built it; null when it has none.</summary>
    public byte[]? Signature { get; init; }

    /// <exception cref="BadImageFormatException">It is no module of .NET.</exception>
    public static ModuleFile Of(byte[] bytes, byte[]? symbols = null, byte[]? signature = null)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
            throw new BadImageFormatException("It is no module of .NET.");
        var metadata = image.GetMetadataReader();
        if (!metadata.IsAssembly)
            throw new BadImageFormatException("It is no assembly.");
        return new(metadata.GetString(metadata.GetAssemblyDefinition().Name), metadata.GetGuid(metadata.GetModuleDefinition().Mvid), SHA256.HashData(bytes), bytes)
        {
            Symbols = symbols,
            Signature = signature,
        };
    }

    /// <summary>The names of the assemblies that it refers to.</summary>
    public string[] References()
    {
        using var stream = new MemoryStream(Bytes, writable: false);
        using var image = new PEReader(stream);
        var metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    /// <summary>With what stands beside it: symbols (<c>.pdb</c>) and signature (<c>.sig</c>).</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="BadImageFormatException">It is no module of .NET.</exception>
    public static ModuleFile Read(string path) => Of(File.ReadAllBytes(path), ReadIfThere(Path.ChangeExtension(path, ".pdb")), ReadIfThere(path + ".sig"));

    static byte[]? ReadIfThere(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;
}
