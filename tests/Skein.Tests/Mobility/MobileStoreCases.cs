using System.Diagnostics;
using System.Globalization;

namespace Skein.Tests.Mobility;

/// <summary>What every store promises. Another one joins by deriving from this.</summary>
public abstract class MobileStoreCases : IDisposable
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("skein-store-").FullName;

    protected string File => Path.Combine(Folder, "processes");

    /// <summary>Its word for the program that is killed.</summary>
    protected abstract string Kind { get; }

    /// <summary>The file to which the last writes were appended.</summary>
    protected abstract string Log { get; }

    protected abstract MobileStore Open(string file);

    /// <summary>The same store each time: a second call is what follows a crash or a restart.</summary>
    protected MobileStore Open() => Open(File);

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static byte[] Image(int seed, int length)
    {
        var image = new byte[length];
        new Random(seed).NextBytes(image);
        return image;
    }

    protected static async Task<Dictionary<string, byte[]>> AllOf(MobileStore store) =>
        (await store.ReadAsync().Within()).ToDictionary(stored => stored.Id, stored => stored.Image.ToArray());

    [Fact]
    public async Task A_new_store_is_empty()
    {
        await using var store = Open();
        Assert.Empty(await store.ReadAsync().Within());
    }

    [Fact]
    public async Task The_last_image_of_each_process_is_there_after_a_restart()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 10));
            await store.SaveAsync("two", Image(2, 100_000));
            await store.SaveAsync("one", Image(3, 0));
            await store.SaveAsync("grün", Image(4, 7));
            await store.SaveAsync("gone", Image(5, 7));
            await store.RemoveAsync("gone");
            await store.RemoveAsync("never there");
            Assert.Equal(3, (await AllOf(store)).Count);
        }
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(["grün", "one", "two"], all.Keys.Order());
        Assert.Equal(Image(3, 0), all["one"]);
        Assert.Equal(Image(2, 100_000), all["two"]);
        Assert.Equal(Image(4, 7), all["grün"]);
    }

    [Fact]
    public async Task Many_that_save_at_once_are_all_kept()
    {
        const int Processes = 200, Saves = 20;
        await using (var store = Open())
        {
            await Task.WhenAll(Enumerable.Range(0, Processes).Select(process => Task.Run(async () =>
            {
                for (var save = 1; save <= Saves; save++)
                    await store.SaveAsync($"{process}", Image(save, process));
            }))).Within(30);
        }
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(Processes, all.Count);
        Assert.All(all, stored => Assert.Equal(Image(Saves, int.Parse(stored.Key, System.Globalization.CultureInfo.InvariantCulture)), stored.Value));
    }

    [Fact]
    public async Task Only_one_has_it_open()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 10));
            Assert.Contains(File, Assert.ThrowsAny<IOException>(() => Open()).Message);
            await store.SaveAsync("two", Image(2, 10));
        }
        await using var again = Open();
        Assert.Equal(["one", "two"], (await AllOf(again)).Keys.Order());
    }

    [Theory]
    [InlineData("Dear diary, today I have written no store.")]
    [InlineData("SQLite format")]
    [InlineData("x")]
    public async Task A_file_that_is_something_else_is_refused_and_left_as_it_is(string text)
    {
        await System.IO.File.WriteAllTextAsync(File, text + new string('.', text.Length > 1 ? 5000 : 0));
        var before = await System.IO.File.ReadAllBytesAsync(File);
        Assert.Contains("no store of mobile processes", Assert.Throws<InvalidDataException>(() => Open()).Message);
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File));
    }

    [Fact]
    public async Task A_torn_last_record_is_cut_off_wherever_it_is_torn()
    {
        var (before, after) = (Path.Combine(Folder, "before"), Path.Combine(Folder, "after"));
        await using (var store = Open())
        {
            await store.SaveAsync("one", Image(1, 50));
            await store.SaveAsync("two", Image(2, 50));
            await CopyAsync(before);
            await store.SaveAsync("one", Image(3, 40));
            await CopyAsync(after);
        }
        var log = Path.GetFileName(Log);
        var whole = await System.IO.File.ReadAllBytesAsync(Path.Combine(after, log));
        var first = (int)new FileInfo(Path.Combine(before, log)).Length;
        var step = Math.Max(1, (whole.Length - first) / 50);
        for (var length = first; length < whole.Length; length += step)
        {
            foreach (var file in Directory.GetFiles(after))
                System.IO.File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)), overwrite: true);
            await System.IO.File.WriteAllBytesAsync(Log, whole[..length]);
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

    /// <summary>What a crash would leave.</summary>
    async Task CopyAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        Assert.Equal(0, await Shell($"cp '{File}'* '{folder}'"));   // another program: it holds no lock, nor loses one
    }

    [Fact]
    public async Task Damage_in_the_middle_is_said_and_nothing_is_cut_off()
    {
        await using (var store = Open())
        {
            for (var i = 0; i < 5; i++)
                await store.SaveAsync($"{i}", Image(i, 10_000));
        }
        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        bytes[bytes.Length / 2] ^= 1;
        await System.IO.File.WriteAllBytesAsync(File, bytes);
        Assert.Contains("is damaged", Assert.Throws<InvalidDataException>(() => Open()).Message);
        Assert.Equal(bytes, await System.IO.File.ReadAllBytesAsync(File));
    }

    [Fact]
    public async Task A_store_that_is_mostly_outdated_is_written_anew()
    {
        await using (var store = Open())
        {
            await store.SaveAsync("small", Image(0, 10));
            for (var i = 1; i <= 15; i++)
                await store.SaveAsync("large", Image(i, 1 << 20));
        }
        Assert.InRange(new FileInfo(File).Length, 1 << 20, 10 << 20);
        Assert.Equal([File], Directory.GetFiles(Folder));
        await using var again = Open();
        var all = await AllOf(again);
        Assert.Equal(Image(15, 1 << 20), all["large"]);
        Assert.Equal(Image(0, 10), all["small"]);
    }

    [Fact]
    public async Task A_full_disk_fails_the_save_and_keeps_what_was_stored()
    {
        await OnSmallDiskAsync("128k", async path =>
        {
            await using (var store = Open(path))
            {
                await store.SaveAsync("one", Image(1, 20_000));
                var full = await Assert.ThrowsAsync<IOException>(async () => await store.SaveAsync("two", Image(2, 200_000)));
                Assert.Contains("the image before is the last", full.Message);
                await store.SaveAsync("two", Image(2, 10));   // what fits is still kept
            }
            await using var again = Open(path);
            var all = await AllOf(again);
            Assert.Equal(Image(1, 20_000), all["one"]);
            Assert.Equal(Image(2, 10), all["two"]);
        });
    }

    /// <summary>Until nothing fits any more, not even what is written anew.</summary>
    [Fact]
    public async Task Whatever_fails_on_a_disk_that_fills_what_was_acknowledged_is_kept()
    {
        await OnSmallDiskAsync("9m", async path =>
        {
            var acknowledged = new Dictionary<string, int>();
            var failed = 0;
            await using (var store = Open(path))
            {
                for (var i = 0; i < 40; i++)
                {
                    try
                    {
                        await store.SaveAsync($"{i % 2}", Image(i, 700_000 + 20_000 * i)).AsTask().Within();
                        acknowledged[$"{i % 2}"] = i;
                    }
                    catch (IOException)
                    {
                        failed++;
                    }
                }
            }
            Assert.InRange(failed, 1, 39);
            await using var again = Open(path);
            var all = await AllOf(again);
            Assert.Equal(acknowledged.Keys.Order(), all.Keys.Order());
            Assert.All(acknowledged, one => Assert.Equal(Image(one.Value, 700_000 + 20_000 * one.Value), all[one.Key]));
        });
    }

    async Task OnSmallDiskAsync(string size, Func<string, Task> test)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "mounting a small file system needs root");
        var disk = Path.Combine(Folder, "disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(await Shell($"mount -t tmpfs -o size={size} tmpfs {disk}") == 0, "a small file system cannot be mounted here");
        try
        {
            await test(Path.Combine(disk, "processes"));
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

    [Fact]
    public async Task A_process_is_restored_at_its_last_checkpoint()
    {
        await using (var store = Open())
        {
            var node = new MobileNode("a", store: store);
            var stored = new TaskCompletionSource();
            node.Provide("stored", stored);
            node.Start(Steps).Send(1);
            await stored.Task.Within();
        }
        await using var again = Open();
        var image = Assert.Single(await again.ReadAsync().Within()).Image;
        var restarted = new MobileNode("a", store: again);
        restarted.Provide("stored", new TaskCompletionSource());
        var process = restarted.Restore<string>(image.ToArray());
        process.Send(2);
        Assert.Equal("1 Restored 2 Continued", await process.Completion.Within());
        Assert.Empty(await again.ReadAsync().Within());
    }

    static async Mobile<string> Steps()
    {
        var log = new List<string>();
        while (log.Count < 4)
        {
            log.Add($"{await Here.Receive<int>()}");
            log.Add($"{await Here.Checkpoint()}");
            Here.Resource<TaskCompletionSource>("stored").TrySetResult();
        }
        return string.Join(' ', log);
    }

    [Fact]
    public async Task A_process_that_cannot_be_written_hears_it_and_goes_on()
    {
        await using var store = Open();
        var process = new MobileNode("a", store: store).Start(static async () =>
        {
            using var stream = new FileStream("/dev/null", FileMode.Open);
            try
            {
                await Here.Checkpoint();
                return "stored";
            }
            catch (CannotMoveException e)
            {
                return e.Path;
            }
        });
        Assert.EndsWith("→ local 'stream'", await process.Completion.Within(), StringComparison.Ordinal);
        Assert.Empty(await store.ReadAsync().Within());
    }

    [Fact]
    public async Task A_process_that_could_not_be_written_still_writes_to_others()
    {
        await using var store = Open();
        var node = new MobileNode("a", store: store);
        var reader = node.Start(static async () => await Here.Receive<string>());
        var id = reader.Id;
        node.Start(async () =>
        {
            using var stream = new FileStream("/dev/null", FileMode.Open);
            try
            {
                await Here.Checkpoint();
            }
            catch (CannotMoveException)
            {
                Here.Send(id, "letter");
            }
            await Here.Event<bool>("never");
        });
        Assert.Equal("letter", await reader.Completion.Within());
    }

    /// <summary>
    /// A program with durable processes is killed again and again. It says which steps are stored; none of these is ever lost, no effect of one
    /// happens again, and whoever has a table of the ids that he has seen applies none twice and misses none.
    /// </summary>
    [Fact]
    public async Task No_acknowledged_step_is_lost_and_no_effect_applied_twice_when_the_program_is_killed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SIGKILL");
        var child = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");
        var acknowledged = new Dictionary<string, int>();
        var effects = new EffectsTable();
        var kills = Limits.Long ? 1000 : 10;
        for (var kill = 0; kill < kills || (effects.Repeated == 0 && kill < 10 * kills); kill++)   // it takes a kill between an effect and its commit
        {
            using var program = Process.Start(new ProcessStartInfo(child, ["durable", Kind, File, "20"]) { RedirectStandardOutput = true })!;
            try
            {
                var seen = 0;
                while (seen < 100 + kill % 100 && await program.StandardOutput.ReadLineAsync().Within(20) is { } line)
                    seen += Take(line) ? 1 : 0;
            }
            finally
            {
                program.Kill();
                await program.WaitForExitAsync().Within();
            }
            while (await program.StandardOutput.ReadLineAsync().Within(20) is { } late)   // said before it was killed
                Take(late);
        }
        Assert.InRange(acknowledged.Count, 20, int.MaxValue);
        Assert.InRange(acknowledged.Values.Max(), kills, int.MaxValue);
        Assert.All(acknowledged, one => effects.RequireAll(one.Key, one.Value));
        Assert.InRange(effects.Repeated, 1, int.MaxValue);

        // True for a step that is stored.
        bool Take(string line)
        {
            switch (line.Split(' '))
            {
                case [var id, var number]:
                    var step = int.Parse(number, CultureInfo.InvariantCulture);
                    Assert.True(acknowledged.GetValueOrDefault(id) <= step, $"{id} was acknowledged at {acknowledged.GetValueOrDefault(id)} and goes on at {step}");
                    acknowledged[id] = step;
                    return true;
                case [var id, "once", var number]:
                    var happened = int.Parse(number, CultureInfo.InvariantCulture);
                    Assert.True(acknowledged.GetValueOrDefault(id, -1) < happened, $"The effect of step {happened} of {id} happened after it was stored");
                    return false;
                case [var id, "effect", var effect, var number]:
                    effects.Take(id, effect, int.Parse(number, CultureInfo.InvariantCulture));
                    return false;
                default:
                    throw new InvalidDataException(line);
            }
        }
    }

    /// <summary>Whoever receives effects: it applies each once, by the id of process and step.</summary>
    sealed class EffectsTable
    {
        readonly Dictionary<(string Process, string Step), int> _seen = [];
        readonly HashSet<(string Process, int Number)> _applied = [];

        public int Repeated { get; private set; }

        public void Take(string process, string step, int number)
        {
            if (_seen.TryAdd((process, step), number))
            {
                Assert.True(_applied.Add((process, number)), $"{process} has done {number} a second time, as its step {step}");
                return;
            }
            Repeated++;
            Assert.Equal(number, _seen[(process, step)]);   // the same id is the same effect
        }

        public void RequireAll(string process, int last) =>
            Assert.All(Enumerable.Range(0, last + 1), number => Assert.Contains((process, number), _applied));
    }
}
