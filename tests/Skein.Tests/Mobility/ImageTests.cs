using System.Diagnostics;
using Skein.Tests.Child;

namespace Skein.Tests.Mobility;

/// <summary>A process as bytes, and what becomes of them elsewhere.</summary>
public class ImageTests
{
    [Fact]
    public async Task A_process_goes_on_in_another_operating_system_process()
    {
        var node = new MobileNode("here");
        var process = node.Start(static () => MobileCase.Wander(Environment.ProcessId));
        var image = await process.CaptureAsync().Within();
        process.Kill();

        var child = Path.Combine(AppContext.BaseDirectory.Replace("/Skein.Tests/", "/Skein.Tests.Child/", StringComparison.Ordinal), "Skein.Tests.Child");
        using var there = Process.Start(new ProcessStartInfo(child, ["mobile"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await there.StandardInput.WriteLineAsync(Convert.ToBase64String(image)).Within();
        there.StandardInput.Close();
        Assert.Equal("ONE message here child; TWO here child; ", (await there.StandardOutput.ReadToEndAsync().Within(20)).TrimEnd('\n'));
        await there.WaitForExitAsync().Within();
    }

    static async Mobile<int> Sum(int[] numbers)
    {
        var sum = 0;
        foreach (var number in numbers)
        {
            await Here.Receive<bool>();
            sum += number;
        }
        return sum;
    }

    [Fact]
    public async Task An_image_is_a_moment_and_the_process_goes_on_without_it()
    {
        var (a, b) = (new MobileNode("a"), new MobileNode("b"));
        var process = a.Start(static () => Sum([1, 2, 3]));
        process.Send(true);
        var image = await process.CaptureAsync().Within();   // after the letter, which came first
        process.Send(true);
        process.Send(true);
        Assert.Equal(6, await process.Completion.Within());

        var again = b.Restore<int>(image);
        again.Send(true);
        again.Send(true);
        Assert.Equal(6, await again.Completion.Within());
    }

    /// <summary>Twenty thousand changed images: each is refused, or makes a process of the types it may have; nothing else happens.</summary>
    [Fact]
    public async Task A_damaged_image_is_refused_and_takes_nothing_along()
    {
        var node = new MobileNode("a");
        var process = node.Start(static () => MobileCase.Wander(1));
        var image = await process.CaptureAsync().Within();
        process.Kill();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < (Limits.Long ? 1_000_000 : 20_000); round++)
        {
            var changed = (byte[])image.Clone();
            for (var change = random.Next(3); change >= 0; change--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            MobileImage.Seal(changed);   // as somebody would who has changed it on purpose
            try
            {
                MobileImage.Read(changed, node);
            }
            catch (Exception e)
            {
                Assert.True(e is InvalidDataException or ModuleVersionException, $"seed {seed}, round {round}: {e}");
                refused++;
            }
        }
        Assert.InRange(refused, 1, int.MaxValue);
    }

    [Fact]
    public async Task An_image_of_which_a_byte_was_changed_is_refused_whichever()
    {
        var process = new MobileNode("a").Start(static () => MobileCase.Wander(1));
        var image = await process.CaptureAsync().Within();
        process.Kill();
        for (var i = 0; i < image.Length; i++)
        {
            image[i] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => MobileImage.Read(image, new MobileNode("b")));
            image[i] ^= 0x10;
        }
        MobileImage.Read(image, new MobileNode("b")).State.Discard();
    }

    public interface IBank
    {
        int Total { get; }
    }

    sealed class Bank : IBank
    {
        public int Total => 1;
    }

    sealed class Holder(string notes, Bank bank, IBank far)
    {
        [Unattached] readonly FileInfo _notes = new(notes);
        [Unattached] readonly DirectoryInfo _folder = new FileInfo(notes).Directory!;
        [Unattached] readonly FileStream _open = System.IO.File.OpenRead(notes);
        [Fixed] readonly Bank _fixed = bank;
        [Fastened] readonly IBank _fastened = far;

        public override string ToString() => $"{_notes} {_folder} {_open} {_fixed} {_fastened.Total}";

        public void Close() => _open.Dispose();
    }

    /// <summary>The same with what is bound: files are made while the image is read, and are gone with it (the suite looks for what is left behind).</summary>
    [Fact]
    public async Task A_damaged_image_with_resources_is_refused_and_leaves_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("skein-image-");
        var notes = Path.Combine(folder.FullName, "notes.txt");
        await System.IO.File.WriteAllTextAsync(notes, "a few words", TestContext.Current.CancellationToken);
        var (node, bank) = (new MobileNode("a"), new Bank());
        node.Provide("bank", bank);
        var holder = new Holder(notes, bank, bank);
        var process = node.Start(async () =>
        {
            await Here.Event<bool>("end");
            return $"{holder}";
        });
        var image = await process.CaptureAsync().Within();
        process.Kill();
        holder.Close();
        folder.Delete(recursive: true);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < (Limits.Long ? 100_000 : 300); round++)
        {
            var changed = (byte[])image.Clone();
            for (var change = random.Next(3); change >= 0; change--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            MobileImage.Seal(changed);
            try
            {
                MobileImage.Read(changed, node).State.Discard();
            }
            catch (Exception e)
            {
                Assert.True(e is InvalidDataException or ModuleVersionException or CannotMoveException, $"seed {seed}, round {round}: {e}");
                refused++;
            }
        }
        Assert.InRange(refused, 1, int.MaxValue);
    }

    [Fact]
    public async Task Ten_thousand_parked_processes_are_drained_and_none_is_lost()
    {
        var count = Limits.Long ? 100_000 : 10_000;
        var (a, b) = (new MobileNode("a") { AnswerLimit = Limits.Seconds(30) }, new MobileNode("b"));
        a.Connect(b);
        var processes = Enumerable.Range(0, count).Select(i => a.Start(async () => i + await Here.Receive<int>())).ToArray();
        await Task.WhenAll(processes.Select(process => process.MoveToAsync("b", Limits.Seconds(30)))).Within(30);
        Assert.Equal((0, count), (a.Count, b.Count));
        foreach (var process in processes)
            process.Send(1);
        Assert.Equal(Enumerable.Range(1, count), await Task.WhenAll(processes.Select(process => process.Completion)).Within(30));
        Assert.Equal(0, b.Count);
    }
}
