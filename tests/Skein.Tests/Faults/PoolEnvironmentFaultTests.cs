using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Versioning;

namespace Skein.Tests.Faults;

// What the machine, or a deploy, takes away while a pool runs.
[SupportedOSPlatform("linux")]
public sealed class PoolEnvironmentFaultTests
{
    [Fact]
    public async Task Without_descriptors_a_start_is_refused_clearly_and_the_pool_that_runs_goes_on()
    {
        var (text, status) = await Programs.Run(new SpawnRequest(Programs.ChildProgram, ["pool-descriptors"]) { Limits = [new(LimitedResource.OpenFiles, 256)] });
        var lines = text.Split('\n');
        Assert.Equal((0, "before 1"), (status.Code, lines[0]));
        Assert.StartsWith("refused", lines[1], StringComparison.Ordinal);
        Assert.Contains("Too many open files", lines[1], StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["meanwhile 2", "afterwards 3 4", "leaked 0"], lines[2..5]);
    }

    // `dotnet test` starts an application so: what it needs does not stand beside it, and the host is told where it is.
    [Fact]
    public async Task Workers_have_the_settings_that_their_application_was_started_with()
    {
        using var folder = new ProgramCopy();
        var (settings, dependencies) = (folder.Rename("runtimeconfig"), folder.Rename("deps"));
        var (text, status) = await Programs.Run(new SpawnRequest(ProgramPath.Find("dotnet", null), ["exec", "--runtimeconfig", settings, "--depsfile", dependencies, $"{folder.Program}.dll", "pool-modules"]));
        Assert.Equal((0, true), (status.Code, text.StartsWith("ready", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_a_full_temporary_folder_pools_work_and_the_task_that_writes_there_fails_with_the_reason()
    {
        // In a mount namespace of its own, so that nothing is left mounted.
        const string Full = "mount -t tmpfs -o size=64k skein-full /mnt && (head -c 1000000 /dev/zero >/mnt/fill; TMPDIR=/mnt exec \"$0\" pool-full-folder) 2>/dev/null";
        var probe = await Programs.Run("unshare -m mount -t tmpfs -o size=64k skein-probe /mnt 2>&1");
        if (probe.Status.Code != 0)
            Assert.Skip($"A folder cannot be mounted here: {probe.Output}");
        var (text, status) = await Programs.Run(new SpawnRequest("/usr/bin/unshare", ["-m", "sh", "-c", Full, Programs.ChildProgram]));
        var lines = text.Split('\n');
        Assert.Equal((0, $"before {3 << 20}"), (status.Code, lines[0]));
        Assert.StartsWith("refused", lines[1], StringComparison.Ordinal);
        Assert.Contains("No space left", lines[1], StringComparison.Ordinal);
        Assert.Equal("afterwards 3", lines[2]);
    }

    [Theory]
    [InlineData("Skein.Tests.Child.dll", true)]
    [InlineData("Skein.Tests.Child.dll", false)]
    [InlineData("Skein.dll", true)]
    public async Task No_worker_starts_from_a_module_that_was_replaced_and_those_that_run_go_on(string file, bool byRename)
    {
        using var folder = new ProgramCopy();
        using var input = new OutputPipe();
        using var output = new OutputPipe();
        using var program = Spawner.Start(new(folder.Program, ["pool-modules"]) { Descriptors = [(input.ReadEnd, 0), (output.WriteEnd, 1)] });
        output.CloseWriteEnd();
        var line = await Line(output);
        Assert.StartsWith("ready", line, StringComparison.Ordinal);
        await Ask(input, "start");
        Assert.Equal("started", await Line(output));

        var (old, now) = folder.Replace(file, byRename);

        await Ask(input, "start");
        var refusal = await Line(output);
        Assert.StartsWith("refused", refusal, StringComparison.Ordinal);
        Assert.Contains(old.ToString(), refusal, StringComparison.Ordinal);
        Assert.Contains(now.ToString(), refusal, StringComparison.Ordinal);
        await Ask(input, "run");
        Assert.Equal("ran 5", await Line(output));
        input.CloseWriteEnd();
        Assert.Equal(0, (await program.Exited.Within()).Code);
    }

    static Task<string> Line(OutputPipe output) => Task.Run(output.ReadLine).Within(20);

    static unsafe Task Ask(OutputPipe input, string line)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* first = bytes)
            Libc.Check(Libc.Write(input.WriteEnd, first, (nuint)bytes.Length), "write");
        return Task.CompletedTask;
    }

    /// <summary>The child program in a folder of its own, whose files may be replaced.</summary>
    sealed class ProgramCopy : IDisposable
    {
        readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

        public ProgramCopy()
        {
            foreach (var file in new FileInfo(Programs.ChildProgram).Directory!.EnumerateFiles())
                file.CopyTo(Path.Combine(_folder.FullName, file.Name));
        }

        public string Program => Path.Combine(_folder.FullName, Path.GetFileName(Programs.ChildProgram));

        /// <summary>What the host looks for under a name of its own has another one.</summary>
        public string Rename(string kind)
        {
            var other = Path.Combine(_folder.FullName, $"other.{kind}.json");
            File.Move($"{Program}.{kind}.json", other);
            return other;
        }

        /// <summary>Another build, as far as anybody can tell: the same code under another version id.</summary>
        public (Guid Old, Guid New) Replace(string name, bool byRename)
        {
            var path = Path.Combine(_folder.FullName, name);
            var bytes = File.ReadAllBytes(path);
            Guid old;
            using (var image = new PEReader(new MemoryStream(bytes)))
            {
                var metadata = image.GetMetadataReader();
                old = metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
            }

            var at = bytes.AsSpan().IndexOf(old.ToByteArray());
            bytes[at] ^= 1;
            var now = new Guid(bytes.AsSpan(at, 16));
            if (byRename)
            {
                File.WriteAllBytes(path + ".new", bytes);
                File.Move(path + ".new", path, overwrite: true);
            }
            else
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                file.Position = at;
                file.Write(bytes, at, 16);
            }

            return (old, now);
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
