namespace Skein.Bench.Channels;

/// <summary>The peer <c>c/ring.c</c>, compiled here.</summary>
static class RingInC
{
    public static Contender Create(string work, int count) =>
        new Compiled(new PeerProgram("ring in C", "gcc -O2, spin 20 µs then futex, a processor each", CProgram.PathOf("ring"), work, $"{count}"));

    sealed class Compiled(PeerProgram program) : Contender(program.Name, program.Settings)
    {
        public override async Task StartAsync()
        {
            await CProgram.CompileAsync("ring");
            await program.StartAsync();
            Version = program.Version;
        }

        public override Task<double> MeasureAsync() => program.MeasureAsync();

        public override ValueTask DisposeAsync() => program.DisposeAsync();
    }
}
