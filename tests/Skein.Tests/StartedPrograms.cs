using System.Runtime.CompilerServices;

namespace Skein.Tests;

/// <summary>What the tests start lives for a second, mostly, and ends before it has used what its compiler would learn of it. So it learns later.</summary>
static class StartedPrograms
{
    const string Variable = "DOTNET_TC_CallCountingDelayMs";

    [ModuleInitializer]
    public static void Begin()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            Environment.SetEnvironmentVariable(Variable, "7D0");   // hexadecimal: two seconds; this program itself has read it when it started
    }
}
