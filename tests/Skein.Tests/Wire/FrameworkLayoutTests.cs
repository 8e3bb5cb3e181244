using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Skein.Tests.Mobility;

namespace Skein.Tests.Wire;

/// <summary>The fields of the framework's types that travel by them, as one number.</summary>
public sealed class FrameworkLayoutTests
{
    const string Queue = "namespace System.Collections.Generic { public struct At { } public class Queue<T> { T[] _items = []; int _head; List<At>? _more; static int s_shared; public long Head => _head + s_shared; } }";

    [Theory]
    [InlineData("public long Head =>", "public void Clear() => _more = null; public long Head =>", true)]
    [InlineData("static int s_shared", "static long s_shared", true)]
    [InlineData("public struct At { }", "public struct Before { } public struct At { }", true)]   // its row is another
    [InlineData("int _head;", "long _head;", false)]
    [InlineData("int _head;", "int _first; int _head => _first;", false)]
    [InlineData("int _head; List<At>? _more;", "List<At>? _more; int _head;", false)]
    [InlineData("List<At>?", "List<int>?", false)]
    [InlineData("class Queue<T> {", "class More { long _more; } public class Queue<T> : More {", false)]
    public void Fields_that_come_go_or_change_change_it_and_nothing_else_does(string what, string instead, bool isSame)
    {
        Assert.Contains(what, Queue, StringComparison.Ordinal);
        Assert.Equal(isSame, FingerprintOf(Queue) == FingerprintOf(Queue.Replace(what, instead, StringComparison.Ordinal)));
    }

    static uint FingerprintOf(string source)
    {
        using var build = new CompiledBuild(source);
        using var file = new PEReader(File.OpenRead(build.Module));
        return FrameworkLayout.Compute([file.GetMetadataReader()]);
    }

    [Fact]
    public void All_that_travels_by_its_fields_is_in_it_with_its_base_classes()
    {
        var types = FrameworkTypes.Assemblies.SelectMany(static name => Assembly.Load(name).GetTypes()).Where(static type => FrameworkTypes.TravelsByFields(type.FullName!)).ToArray();
        Assert.All(FrameworkTypes.Assemblies, name => Assert.Contains(types, type => type.Assembly.GetName().Name == name));
        Assert.Contains(typeof(Queue<>), types);
        Assert.Contains(typeof(List<>.Enumerator), types);
        Assert.Contains(new[] { 1 }.Where(static x => x > 0).GetType().GetGenericTypeDefinition(), types);
        var missing = new List<string>();
        foreach (var type in types)
        {
            for (var at = type.BaseType; at is not null && at != typeof(object) && at != typeof(ValueType); at = at.BaseType)
            {
                var definition = at.IsGenericType ? at.GetGenericTypeDefinition() : at;
                if (!types.Contains(definition) && definition.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Length > 0)
                    missing.Add($"{type}: {at}");
            }
        }
        Assert.Equal([], missing);
    }
}
