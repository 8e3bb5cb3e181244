using System.Diagnostics;
using System.Globalization;

namespace Skein.Tests.Mobility;

/// <summary>The store in one file, and what can happen to a file.</summary>
public class FileStoreTests : MobileStoreCases
{
    string File => Path.Combine(Folder, "processes.log");

    protected override MobileStore Open() => FileStore.Open(File);

    [Fact]
    public async Task A_torn_last_record_is_cut_off_wherever_it_is_torn()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 50));
            await store.SaveAsync("two", Image(2, 50));
        }
        var before = await System.IO.File.ReadAllBytesAsync(File);
        await using (var store = Open())
            await store.SaveAsync("one", Image(3, 40));
        var after = await System.IO.File.ReadAllBytesAsync(File);

        for (var length = before.Length; length < after.Length; length++)
        {
            var torn = after[..length];
            if (length % 2 == 1 && length > before.Length + 2)
                torn = [.. torn, .. new byte[after.Length - length]];   // the file has its size, and not its bytes
            await System.IO.File.WriteAllBytesAsync(File, torn);
            await using (var store = Open())
            {
                Assert.Equal(Image(1, 50), (await AllOf(store))["one"]);
                await store.SaveAsync("three", Image(length, 5));
            }
            await using var again = Open();
            var all = await AllOf(again);
            Assert.Equal(["one", "three", "two"], all.Keys.Order());
            Assert.Equal(Image(length, 5), all["three"]);
        }
    }

    [Fact]
    public async Task Damage_in_the_middle_is_said_and_nothing_is_cut_off()
    {
        await using (var store = Open())
        {
            for (var i = 0; i < 5; i++)
                await store.SaveAsync($"{i}", Image(i, 1000));
        }
        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        bytes[1500] ^= 1;
        await System.IO.File.WriteAllBytesAsync(File, bytes);
        Assert.Contains("damaged at byte", Assert.Throws<InvalidDataException>(Open).Message);
        Assert.Equal(bytes, await System.IO.File.ReadAllBytesAsync(File));
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_anew_serves_on()
    {
        await using (var store = Open())
        {
            Directory.CreateDirectory(File + ".new");   // in the way
            for (var i = 0; i < 12; i++)
                await store.SaveAsync("one", Image(i, 1 << 20)).AsTask().Within();
        }
        Directory.Delete(File + ".new");
        await using var again = Open();
        Assert.Equal(Image(11, 1 << 20), (await AllOf(again))["one"]);
    }

    [Fact]
    public async Task Only_one_has_it_open()
    {
        await using var store = Open();
        Assert.ThrowsAny<IOException>(Open);
    }

    [Fact]
    public async Task A_file_that_is_mostly_outdated_is_written_anew()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("small", Image(0, 10));
            for (var i = 1; i <= 30; i++)
                await store.SaveAsync("large", Image(i, 1 << 20));
        }
        Assert.InRange(new FileInfo(File).Length, 1 << 20, 10 << 20);
        Assert.Equal([File], Directory.GetFiles(Folder));
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(Image(30, 1 << 20), all["large"]);
        Assert.Equal(Image(0, 10), all["small"]);
    }

    [Fact]
    public async Task A_full_disk_fails_the_save_and_keeps_what_was_stored()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "mounting a small file system needs root");
        var disk = Path.Combine(Folder, "disk");
        Directory.CreateDirectory(disk);
        var mount = await Shell($"mount -t tmpfs -o size=64k tmpfs {disk}");
        Assert.SkipUnless(mount == 0, "a small file system cannot be mounted here");
        try
        {
            var path = Path.Combine(disk, "processes.log");
            await using (var store = FileStore.Open(path))
            {
                await store.SaveAsync("one", Image(1, 20_000));
                var full = await Assert.ThrowsAsync<IOException>(async () => await store.SaveAsync("two", Image(2, 100_000)));
                Assert.Contains("the image before is the last", full.Message);
                await store.SaveAsync("two", Image(2, 10));   // what fits is still kept
            }
            await using var again = FileStore.Open(path);
            var all = await AllOf(again);
            Assert.Equal(Image(1, 20_000), all["one"]);
            Assert.Equal(Image(2, 10), all["two"]);
        }
        finally
        {
            await Shell($"umount {disk}");
        }
    }

    static async Task<int> Shell(string command)
    {
        using var shell = Process.Start("/bin/sh", ["-c", command + " 2>/dev/null"]);
        await shell.WaitForExitAsync().Within();
        return shell.ExitCode;
    }

    /// <summary>
    /// A program with durable processes is killed again and again. It says which steps are stored; none of these is ever lost, no effect of one
    /// happens again, and what happens again has the id that it had.
    /// </summary>
    [Fact]
    public async Task No_acknowledged_step_is_lost_and_none_of_its_effects_repeated_when_the_program_is_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SIGKILL");
        var child = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");
        var acknowledged = new Dictionary<string, int>();
        var steps = new Dictionary<string, string>();   // by the id of the effect
        var again = 0;
        var kills = Limits.Long ? 1000 : 10;
        for (var kill = 0; kill < kills; kill++)
        {
            using var program = Process.Start(new ProcessStartInfo(child, ["durable", File, "20"]) { RedirectStandardOutput = true })!;
            try
            {
                var seen = 0;
                while (seen < 200 + kill && await program.StandardOutput.ReadLineAsync().Within(20) is { } line)
                {
                    switch (line.Split(' '))
                    {
                        case [var id, var number]:
                            var step = int.Parse(number, CultureInfo.InvariantCulture);
                            seen++;
                            Assert.True(acknowledged.GetValueOrDefault(id) <= step, $"{id} was acknowledged at {acknowledged.GetValueOrDefault(id)} and goes on at {step}");
                            acknowledged[id] = step;
                            break;
                        case [var id, "once", var number]:
                            var happened = int.Parse(number, CultureInfo.InvariantCulture);
                            Assert.True(acknowledged.GetValueOrDefault(id, -1) < happened, $"The effect of step {happened} of {id} happened after it was stored");
                            break;
                        case [var id, "effect", var effect, var number]:
                            again += steps.TryAdd($"{id}/{effect}", number) ? 0 : 1;
                            Assert.Equal(number, steps[$"{id}/{effect}"]);
                            break;
                        default:
                            throw new InvalidDataException(line);
                    }
                }
            }
            finally
            {
                program.Kill();
                await program.WaitForExitAsync().Within();
            }
        }
        Assert.InRange(acknowledged.Count, 20, int.MaxValue);
        Assert.InRange(acknowledged.Values.Max(), kills, int.MaxValue);
        Assert.InRange(again, 1, int.MaxValue);
    }
}
