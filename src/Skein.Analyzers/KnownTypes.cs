using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Skein.Analyzers;

/// <summary>The types that the rules speak of, as this compilation has them.</summary>
sealed class KnownTypes
{
    /// <summary>With all that derives from them.</summary>
    static readonly string[] Behind =
    [
        "System.IO.Stream", "System.IO.TextReader", "System.IO.TextWriter", "System.IO.BinaryReader", "System.IO.BinaryWriter",
        "System.Runtime.InteropServices.SafeHandle", "System.Threading.WaitHandle", "System.Threading.Thread", "System.Threading.Lock",
        "System.Threading.SemaphoreSlim", "System.Threading.Timer", "System.Threading.PeriodicTimer", "System.Threading.ITimer",
        "System.Threading.CancellationTokenSource", "System.Threading.ReaderWriterLockSlim", "System.Threading.ManualResetEventSlim",
        "System.Threading.CountdownEvent", "System.Threading.Barrier", "System.Net.Sockets.Socket", "System.Net.Sockets.TcpClient",
        "System.Net.Sockets.TcpListener", "System.Net.Sockets.UdpClient", "System.Net.Http.HttpMessageInvoker", "System.Net.WebSockets.WebSocket",
        "System.Diagnostics.Process", "System.Diagnostics.Stopwatch", "System.Data.Common.DbConnection", "System.Data.Common.DbCommand",
        "System.Data.Common.DbDataReader", "System.Data.Common.DbTransaction", "System.IO.FileSystemWatcher", "System.Collections.Generic.IAsyncEnumerator`1",
    ];

    readonly INamedTypeSymbol _mobile, _mobileOf;
    readonly HashSet<ISymbol> _behind = new(SymbolEqualityComparer.Default);
    readonly HashSet<ISymbol> _tasks = new(SymbolEqualityComparer.Default);
    readonly INamedTypeSymbol? _staysHere;

    KnownTypes(Compilation compilation, INamedTypeSymbol mobile, INamedTypeSymbol mobileOf)
    {
        (_mobile, _mobileOf) = (mobile, mobileOf);
        _staysHere = compilation.GetTypeByMetadataName("Skein.StaysHereAttribute");
        Add(compilation, _behind, Behind);
        Add(compilation, _tasks, "System.Threading.Tasks.Task", "System.Threading.Tasks.Task`1", "System.Threading.Tasks.ValueTask", "System.Threading.Tasks.ValueTask`1");
    }

    /// <summary>Null where Skein is not referenced.</summary>
    public static KnownTypes? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName("Skein.Mobile") is { } mobile && compilation.GetTypeByMetadataName("Skein.Mobile`1") is { } mobileOf
            ? new(compilation, mobile, mobileOf) : null;

    public bool IsMobile(ITypeSymbol? type) =>
        SymbolEqualityComparer.Default.Equals(type?.OriginalDefinition, _mobile) || SymbolEqualityComparer.Default.Equals(type?.OriginalDefinition, _mobileOf);

    public bool IsTask(ITypeSymbol type) => _tasks.Contains(type.OriginalDefinition);

    public bool StaysBehind(ITypeSymbol type)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (_behind.Contains(at.OriginalDefinition) || at.GetAttributes().Any(given => SymbolEqualityComparer.Default.Equals(given.AttributeClass, _staysHere)))
                return true;
        }
        return false;
    }

    /// <summary><c>task.Result</c>, <c>task.Wait()</c>, <c>x.GetAwaiter().GetResult()</c></summary>
    public bool IsBlocking(IOperation operation) => operation switch
    {
        IPropertyReferenceOperation { Property: { Name: "Result" } property } => IsTask(property.ContainingType),
        IInvocationOperation { TargetMethod: { Name: "Wait" or "WaitAll" or "WaitAny" } method } => IsTask(method.ContainingType),
        IInvocationOperation { TargetMethod.Name: "GetResult", Instance: IInvocationOperation { TargetMethod.Name: "GetAwaiter" } awaiter } => awaiter.Instance?.Type is { } type && (IsTask(type) || IsMobile(type)),
        _ => false,
    };

    static void Add(Compilation compilation, HashSet<ISymbol> types, params string[] names)
    {
        foreach (var name in names)
        {
            if (compilation.GetTypeByMetadataName(name) is { } type)
                types.Add(type);
        }
    }
}
