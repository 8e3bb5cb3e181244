using System.Reflection;

namespace Skein.Tests.Mobility;

/// <summary>A function that moves does what it does where it stays.</summary>
public class JourneyTests
{
    public static TheoryData<string> Names => [.. All.Keys];

    static readonly Dictionary<string, MethodInfo> All = typeof(Journeys).GetMethods(BindingFlags.Static | BindingFlags.Public)
        .Where(method => method.ReturnType == typeof(Mobile<string>) && method.GetParameters().Length == 0)
        .ToDictionary(method => method.Name);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_function_does_the_same_wherever_its_waits_take_it(string name)
    {
        var journey = All[name].CreateDelegate<Func<Mobile<string>>>();
        var stayed = await new MobileNode("alone").Start(journey).Completion.Within();
        var (a, b) = (new MobileNode("a"), new MobileNode("b"));
        a.Connect(b);

        var hops = 0;
        var moved = await a.Start(async () =>
        {
            var result = await journey();
            hops = Here.Hops;
            Assert.True(hops > 0);
            return result;
        }).Completion.Within();

        Assert.Equal(stayed, moved);
        await LetGo(a, b);
    }

    // Not in the function above: what its lambdas hold would be held by the one that moves.
    static Task LetGo(params MobileNode[] nodes) => Limits.Until(() => nodes.Sum(node => node.Count) == 0, "the nodes to have let go of it");
}
