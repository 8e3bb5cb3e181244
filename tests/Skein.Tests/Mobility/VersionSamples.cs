using System.Security.Cryptography;

namespace Skein.Tests.Mobility;

/// <summary>The code of docs/versions.md that is about nodes; the functions are compiled as the two builds that they are of.</summary>
static class VersionSamples
{
    public static MobileNode[] Policies(ECDsa ours)
    {
        var open = new MobileNode("lab") { Code = CodePolicy.AnyPeer };
        var closed = new MobileNode("till") { Code = CodePolicy.Listed("5A3F…", "90C1…") };
        var signed = new MobileNode("b") { Code = CodePolicy.SignedBy(ours) };     // CodePolicy.Sign("app.dll", key) after the build
        return [open, closed, signed];
    }

    public static async Task UpgradeAsync(MobileNode node)
    {
        using var build = node.Load("/srv/orders/2.1/orders.dll");
        foreach (var process in await node.UpgradeAsync(build))
            Console.WriteLine($"{process.ProcessId}: {process.WhyNot ?? "goes on in 2.1"}");
    }
}
