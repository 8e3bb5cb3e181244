using System.Text;

namespace Skein.Tests.Servers;

/// <summary>What every store of objects promises; an implementation joins by one line.</summary>
public sealed class ObjectStoreTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("skein-objects-").FullName;

    public static TheoryData<string> Stores => ["InMemory", "InFolder"];

    ObjectStore Open(string store) => store == "InMemory" ? ObjectStore.InMemory() : ObjectStore.InFolder(Path.Combine(_folder, "objects"));

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_was_saved_is_loaded_whole_under_any_name(string kind)
    {
        var store = Open(kind);
        string[] names = ["", "a", "A", "a/b", "../a", "ü\0x", new('n', 5000)];
        foreach (var name in names)
        {
            Assert.Null(await store.LoadAsync("kind", name).Within());
            await store.SaveAsync("kind", name, [0]).AsTask().Within();
            await store.SaveAsync("kind", name, Encoding.UTF8.GetBytes($"state of {name}")).AsTask().Within();
            await store.SaveAsync("another kind", name, [1]).AsTask().Within();
        }

        foreach (var name in names)
            Assert.Equal($"state of {name}", Encoding.UTF8.GetString((await store.LoadAsync("kind", name).Within())!));
        if (kind == "InFolder" && OperatingSystem.IsLinux())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(_folder, "objects")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
