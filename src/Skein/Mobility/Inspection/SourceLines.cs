using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Skein;

/// <summary>Where in the source a function waits: the compiler's debugging symbols know of each <c>await</c>, in the order of the states of its state machine.</summary>
static class SourceLines
{
    /// <summary>The kind of custom debug information that lists the waits of an async method.</summary>
    static readonly Guid Steps = new("54FD2AC5-E925-401A-9C2A-F94F171072F8");

    static readonly ConditionalWeakTable<Module, Symbols> Known = [];

    /// <summary>Null where it runs, or where there are no symbols.</summary>
    public static (string File, int Line)? Of(object stateMachine)
    {
        const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var type = stateMachine.GetType();
        return type.GetField("<>1__state", Any)?.GetValue(stateMachine) is int state and >= 0 ? Of(type, state) : null;
    }

    /// <summary>The same of a state machine in a state.</summary>
    public static (string File, int Line)? Of(Type type, int state)
    {
        var next = type.GetInterfaceMap(typeof(IAsyncStateMachine)) is var map ? Array.Find(map.TargetMethods, static method => method.Name.EndsWith("MoveNext", StringComparison.Ordinal)) : null;
        if (next is null || Known.GetValue(type.Module, Open).Reader is not { } symbols)
            return null;
        try
        {
            return Find(symbols, MetadataTokens.MethodDefinitionHandle(next.MetadataToken & 0xFFFFFF), state);
        }
        catch (BadImageFormatException)
        {
            return null;   // they came with the code, unverified
        }
    }

    static (string, int)? Find(MetadataReader symbols, MethodDefinitionHandle method, int state)
    {
        if (YieldOffset(symbols, method, state) is not { } offset)
            return null;
        var information = symbols.GetMethodDebugInformation(method.ToDebugInformationHandle());
        (string, int)? found = null;
        foreach (var point in information.GetSequencePoints())
        {
            if (point.Offset > offset)
                break;
            if (!point.IsHidden)
                found = (symbols.GetString(symbols.GetDocument(point.Document).Name), point.StartLine);
        }
        return found;
    }

    static uint? YieldOffset(MetadataReader symbols, MethodDefinitionHandle method, int state)
    {
        foreach (var handle in symbols.GetCustomDebugInformation(method))
        {
            var information = symbols.GetCustomDebugInformation(handle);
            if (symbols.GetGuid(information.Kind) != Steps)
                continue;
            var blob = symbols.GetBlobReader(information.Value);
            blob.ReadUInt32();   // where exceptions are caught
            for (; blob.RemainingBytes > 0; state--)
            {
                var yield = blob.ReadUInt32();
                blob.ReadUInt32();   // where it goes on
                blob.ReadCompressedInteger();
                if (state == 0)
                    return yield;
            }
        }
        return null;
    }

    static Symbols Open(Module module)
    {
        try
        {
            var assembly = module.Assembly;
            if (AssemblyLoadContext.GetLoadContext(assembly) is ModuleContext context)
                return new(context.Files.First(file => file.Name == assembly.GetName().Name).Symbols);
            var beside = Path.ChangeExtension(assembly.Location, ".pdb");
            return new(File.Exists(beside) ? File.ReadAllBytes(beside) : null);
        }
        catch (IOException)
        {
            return new(null);
        }
    }

    sealed class Symbols
    {
        public Symbols(byte[]? bytes)
        {
            try
            {
                Reader = bytes is null ? null : MetadataReaderProvider.FromPortablePdbImage([.. bytes]).GetMetadataReader();
            }
            catch (BadImageFormatException)
            {
                // They are of another kind, or damaged.
            }
        }

        public MetadataReader? Reader { get; }
    }
}
