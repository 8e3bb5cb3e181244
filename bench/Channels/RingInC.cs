using System.Diagnostics;

namespace Skein.Bench.Channels;

/// <summary>The peer <c>c/ring.c</c>, compiled here.</summary>
static class RingInC
{
    const string Compiler = "/usr/bin/gcc";

    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "ring-in-c");

    public static Contender Create(string work, int count) =>
        new Compiled(new PeerProgram("ring in C", "gcc -O2, spin 20 µs then futex, a processor each", Program, work, $"{count}"));

    static async Task CompileAsync()
    {
        Peers.Require(Compiler, "");
        using var compiler = Process.Start(new ProcessStartInfo(Compiler, ["-O2", "-o", Program, Path.Combine(Peers.Folder, "c/ring.c")]))!;
        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
            throw new InvalidOperationException($"{Compiler} ended with {compiler.ExitCode}: what it wrote says why.");
    }

    sealed class Compiled(PeerProgram program) : Contender(program.Name, program.Settings)
    {
        public override async Task StartAsync()
        {
            await CompileAsync();
            await program.StartAsync();
            Version = program.Version;
        }

        public override Task<double> MeasureAsync() => program.MeasureAsync();

        public override ValueTask DisposeAsync() => program.DisposeAsync();
    }
}
