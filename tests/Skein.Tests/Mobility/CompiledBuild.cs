using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Skein.Tests.Mobility;

/// <summary>An application that this program was not started with: a module and its symbols in a folder of its own.</summary>
sealed class CompiledBuild : IDisposable
{
    static readonly string[] Needed = ["System.Private.CoreLib.dll", "System.Runtime.dll", "System.Collections.dll", "System.Linq.dll", "System.Threading.dll", "System.Net.Primitives.dll", "System.Net.Sockets.dll", "Skein.dll"];

    static readonly MetadataReference[] References = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(path => Needed.Contains(Path.GetFileName(path)))
        .Select(path => MetadataReference.CreateFromFile(path))];

    static readonly ConcurrentDictionary<string, (byte[] Module, byte[] Lines)> Compiled = new();   // the compiler takes longer than what is tested

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("skein-build-");

    /// <param name="source">C#; the namespaces that one uses are there.</param>
    /// <param name="name">Of the module.</param>
    /// <param name="optimize">As Release does, else as Debug.</param>
    /// <param name="symbols">What <c>#if</c> asks for.</param>
    /// <param name="beside">Modules that it refers to.</param>
    public CompiledBuild(string source, string name = "Flow", bool optimize = true, string[]? symbols = null, params CompiledBuild[] beside)
    {
        Module = Path.Combine(_folder.FullName, name + ".dll");
        var (module, lines) = Compiled.GetOrAdd($"{name} {optimize} {string.Join(',', symbols ?? [])} {string.Join(',', beside.Select(other => other.Hash))} {source}",
            _ => Compile(source, name, optimize, symbols ?? [], beside));
        File.WriteAllBytes(Module, module);
        File.WriteAllBytes(Path.ChangeExtension(Module, ".pdb"), lines);
        foreach (var other in beside)
            File.Copy(other.Module, Path.Combine(_folder.FullName, Path.GetFileName(other.Module)));
    }

    static (byte[] Module, byte[] Lines) Compile(string source, string name, bool optimize, string[] symbols, CompiledBuild[] beside)
    {
        var tree = CSharpSyntaxTree.ParseText("using System; using System.Collections.Generic; using System.Linq; using System.Threading.Tasks; using Skein;\n" + source,
            new CSharpParseOptions(LanguageVersion.Preview, preprocessorSymbols: symbols), $"/source/{name}.cs", System.Text.Encoding.UTF8);
        var compilation = CSharpCompilation.Create(name, [tree], [.. References, .. beside.Select(other => MetadataReference.CreateFromFile(other.Module))],
            new(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: optimize ? OptimizationLevel.Release : OptimizationLevel.Debug, nullableContextOptions: NullableContextOptions.Enable));
        using var module = new MemoryStream();
        using var lines = new MemoryStream();
        var result = compilation.Emit(module, lines, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return (module.ToArray(), lines.ToArray());
    }

    public string Module { get; }

    public string Hash => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Module)));

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary><c>Flow.Run()</c> of a build that a node has loaded.</summary>
    public static Func<Mobile<string>> Run(LoadedBuild build, string method = "Run") => build.Assembly.GetType("Flow")!.GetMethod(method)!.CreateDelegate<Func<Mobile<string>>>();
}
