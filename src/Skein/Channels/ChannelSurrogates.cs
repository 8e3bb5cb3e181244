using System.Runtime.Versioning;

namespace Skein;

/// <summary>Makes the ends of channels known to the codec, once in this process. A worker calls it before it reads its first task.</summary>
[SupportedOSPlatform("linux")]
static class ChannelSurrogates
{
    static readonly Lazy<bool> Registered = new(() =>
    {
        Surrogate.Register(new EndSurrogate());
        return true;
    });

    public static void Register() => _ = Registered.Value;
}
