using System.Diagnostics;

namespace Skein.Bench;

/// <summary>A program of the folder <c>c</c>, compiled here with <c>gcc -O2</c>.</summary>
static class CProgram
{
    const string Compiler = "/usr/bin/gcc";

    /// <summary>Where it is, once it is compiled.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, $"{name}-in-c");

    /// <summary>Compiles it, and tells where it is.</summary>
    /// <exception cref="MissingPeerException">There is no compiler.</exception>
    public static async Task<string> CompileAsync(string name)
    {
        Peers.Require(Compiler, "");
        var program = PathOf(name);
        using var compiler = Process.Start(new ProcessStartInfo(Compiler, ["-O2", "-o", program, Path.Combine(Peers.Folder, $"c/{name}.c")]))!;
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0 ? program : throw new InvalidOperationException($"{Compiler} ended with {compiler.ExitCode}: what it wrote says why.");
    }
}
