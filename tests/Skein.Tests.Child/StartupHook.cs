/// <summary>A startup hook as a user may have one of his own; the name and the missing namespace are the runtime's convention.</summary>
static class StartupHook
{
    public static void Initialize() => AppContext.SetSwitch("Skein.Tests.Hooked", true);
}
