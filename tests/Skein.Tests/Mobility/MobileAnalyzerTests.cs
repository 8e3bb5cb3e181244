using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Skein.Analyzers;

namespace Skein.Tests.Mobility;

/// <summary>What the analyzer says about mobile functions, and what it leaves alone.</summary>
public class MobileAnalyzerTests
{
    static readonly MetadataReference[] References = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(path => Path.GetFileName(path) is "System.Private.CoreLib.dll" or "System.Runtime.dll" or "System.Collections.dll" or "System.Threading.dll" or "Skein.dll")
        .Select(path => MetadataReference.CreateFromFile(path))];

    /// <summary>The rules that the body of a mobile function breaks, each with the text that it points at.</summary>
    static async Task<string[]> Warnings(string body, string members = "")
    {
        var source = $$"""
            using System; using System.Collections.Generic; using System.IO; using System.Threading; using System.Threading.Tasks; using Skein;
            class Flow
            {
                {{members}}
                async Mobile<int> Step(string path)
                {
                    await Here.Yield();
                    {{body}}
                    return 0;
                }
            }
            """;
        var compilation = CSharpCompilation.Create("Flow", [CSharpSyntaxTree.ParseText(source)], References,
            new(OutputKind.DynamicallyLinkedLibrary));
        Assert.Empty(compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error));
        var warnings = await compilation.WithAnalyzers([new MobileAnalyzer()]).GetAnalyzerDiagnosticsAsync().Within(30);
        return [.. warnings.OrderBy(found => found.Location.SourceSpan.Start).Select(found => $"{(found.Id == "AD0001" ? found.GetMessage() : found.Id)} {source[found.Location.SourceSpan.Start..found.Location.SourceSpan.End]}")];
    }

    [Theory]
    [InlineData("""using var file = File.OpenRead(path); await Here.MoveTo("b");""", """SKEIN001 await Here.MoveTo("b")""")]
    [InlineData("""var file = File.OpenRead(path); await Here.MoveTo("b"); file.Flush();""", """SKEIN001 await Here.MoveTo("b")""")]
    [InlineData("""var gate = new SemaphoreSlim(1); for (var i = 0; i < 3; i++) { gate.Release(); await Here.Yield(); }""", "SKEIN001 await Here.Yield()")]
    [InlineData("""var file = File.OpenRead(path); try { await Here.Yield(); } finally { file.Dispose(); }""", "SKEIN001 await Here.Yield()")]
    [InlineData("""var file = File.OpenRead(path); try { await Here.Yield(); } catch (IOException) { file.Flush(); }""", "SKEIN001 await Here.Yield()")]
    [InlineData("""Func<Stream, Mobile> inner = async stream => { await Here.Yield(); stream.Flush(); }; await inner(null);""", "SKEIN001 await Here.Yield()")]
    [InlineData("""async Mobile Inner(Thread thread) { await Here.Yield(); thread.Join(); } await Inner(null);""", "SKEIN001 await Here.Yield()")]
    public async Task A_local_that_cannot_travel_and_is_used_after_a_wait_is_named(string body, string expected) => Assert.Equal([expected], await Warnings(body));

    [Theory]
    [InlineData("""using (var file = File.OpenRead(path)) { file.Flush(); } await Here.MoveTo("b");""")]
    [InlineData("""var file = File.OpenRead(path); file.Dispose(); await Here.MoveTo("b"); file = File.OpenRead(path); file.Dispose();""")]
    [InlineData("""using var file = File.OpenRead(path); await Task.Yield();""")]
    [InlineData("""var list = new List<int> { 1 }; await Here.MoveTo("b"); list.Add(2);""")]
    [InlineData("""async Task Ordinary() { using var file = File.OpenRead(path); await Here.Receive<int>(); } await Ordinary();""")]
    public async Task What_is_over_before_the_wait_is_left_alone(string body) => Assert.Empty(await Warnings(body));

    [Fact]
    public async Task A_task_that_is_held_across_a_wait_is_named() =>
        Assert.Equal(["""SKEIN002 await Here.MoveTo("b")"""], await Warnings("""var task = Task.Run(() => 1); await Here.MoveTo("b"); return await task;"""));

    [Fact]
    public async Task A_static_that_changes_is_named_and_one_that_does_not_is_not() =>
        Assert.Equal(["SKEIN003 count", "SKEIN003 count"], await Warnings("count = count + limit + most;", "static int count; static readonly int limit = 5; const int most = 7;"));

    [Theory]
    [InlineData("var x = Task.FromResult(1).Result;", "SKEIN004 Task.FromResult(1).Result")]
    [InlineData("Task.CompletedTask.Wait();", "SKEIN004 Task.CompletedTask.Wait()")]
    [InlineData("Here.Yield().GetAwaiter().GetResult();", "SKEIN004 Here.Yield().GetAwaiter().GetResult()")]
    public async Task Blocking_is_named(string body, string expected) => Assert.Equal([expected], await Warnings(body));
}
