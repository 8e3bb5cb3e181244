using System.Reflection;
using System.Runtime.CompilerServices;

namespace Skein.Tests.Structure;

/// <summary>The shape of the library, kept by tests: what the world may see and derive from.</summary>
public class ShapeTests
{
    static readonly Assembly[] Libraries = [typeof(GraphCodec).Assembly, typeof(ClusterNode).Assembly, typeof(ServerModel).Assembly];

    const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void Public_classes_are_sealed_static_or_abstract() =>
        Assert.Equal([], Libraries.SelectMany(library => library.GetExportedTypes()).Where(type => type.IsClass && !type.IsSealed && !type.IsAbstract));

    [Fact]
    public void Public_types_are_in_one_namespace() =>
        Assert.Equal(["Skein"], Libraries.SelectMany(library => library.GetExportedTypes()).Select(type => type.Namespace).Distinct());

    [Fact]
    public void Nothing_is_async_void() =>
        Assert.Equal([], Libraries.SelectMany(library => library.GetTypes()).SelectMany(type => type.GetMethods(Everything))
            .Where(method => method.ReturnType == typeof(void) && method.IsDefined(typeof(AsyncStateMachineAttribute))));

    /// <summary>A change of the public API is a change of its file, and so is seen in the diff. <c>./check --approve</c> rewrites it.</summary>
    [Theory]
    [InlineData("Skein", "PublicApi.txt")]
    [InlineData("Skein.Cluster", "PublicApi.Cluster.txt")]
    [InlineData("Skein.Servers", "PublicApi.Servers.txt")]
    public void The_public_API_is_the_approved_one(string library, string file)
    {
        var approved = Repository.At($"tests/Skein.Tests/Structure/{file}");
        var api = ApiListing.Of(Libraries.Single(each => each.GetName().Name == library));
        if (Environment.GetEnvironmentVariable("SKEIN_APPROVE") == "1")
            File.WriteAllText(approved, api);

        var differences = File.ReadAllLines(approved).Except(api.Split('\n')).Select(line => $"- {line}")
            .Concat(api.Split('\n').Except(File.ReadAllLines(approved)).Select(line => $"+ {line}"));
        Assert.True(
            File.ReadAllText(approved) == api,
            $"The public API is not the approved one. If it is meant: ./check --approve\n{string.Join('\n', differences)}");
    }
}
