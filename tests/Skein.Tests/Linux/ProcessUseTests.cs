using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class ProcessUseTests
{
    [Fact]
    public async Task Memory_and_processor_time_of_a_living_process_are_read()
    {
        using var output = new OutputPipe();
        const int Size = 100 << 20;
        var script = $"b = bytearray({Size})\nprint('ready', flush=True)\nwhile True: pass";
        using var child = Spawner.Start(new(ProgramPath.Find("python3"), ["-c", script]) { Descriptors = [(output.WriteEnd, 1)] });
        Assert.Equal("ready", output.ReadLine());
        Assert.InRange(ProcessUse.ResidentBytes(child.Id)!.Value, Size, 2 * Size);
        Assert.InRange(ProcessUse.ProportionalBytes(child.Id)!.Value, Size, 2 * Size);
        await Limits.Until(() => ProcessUse.ProcessorTime(child.Id) > TimeSpan.FromMilliseconds(50), "some processor time");

        child.Kill();

        await child.Exited.Within();
        Assert.Null(ProcessUse.ResidentBytes(child.Id));
        Assert.Null(ProcessUse.ProportionalBytes(child.Id));
        Assert.Null(ProcessUse.ProcessorTime(child.Id));
    }
}
