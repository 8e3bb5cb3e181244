namespace Skein.Tests.Mobility;

/// <summary>The store in one file, and what can happen to this one.</summary>
public class FileStoreTests : MobileStoreCases
{
    protected override string Kind => "file";

    protected override string Log => File;

    protected override MobileStore Open(string file) => FileStore.Open(file);

    [Fact]
    public async Task Of_a_torn_record_the_disk_may_have_the_size_and_not_the_bytes()
    {
        await using (var store = Open())
            await store.SaveAsync("one", Image(1, 50));
        var before = await System.IO.File.ReadAllBytesAsync(File);
        await System.IO.File.WriteAllBytesAsync(File, [.. before, .. before.AsSpan(0, 30), .. new byte[before.Length - 30]]);
        await using (var store = Open())
        {
            Assert.Equal(Image(1, 50), (await AllOf(store))["one"]);
            await store.SaveAsync("two", Image(2, 50));
        }
        await using var again = Open();
        Assert.Equal(["one", "two"], (await AllOf(again)).Keys.Order());
    }

    [Fact]
    public async Task A_first_record_without_its_bytes_is_cut_off()
    {
        await System.IO.File.WriteAllBytesAsync(File, new byte[100]);
        await using var store = Open();
        Assert.Empty(await store.ReadAsync().Within());
    }

    [Fact]
    public async Task A_file_of_a_later_version_is_refused()
    {
        await System.IO.File.WriteAllTextAsync(File, "SKNT, and what comes after");
        Assert.Contains("a later version of Skein", Assert.Throws<InvalidDataException>(() => Open()).Message);
        Assert.Equal("SKNT, and what comes after", await System.IO.File.ReadAllTextAsync(File));
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
}
