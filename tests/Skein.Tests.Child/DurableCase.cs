namespace Skein.Tests.Child;

/// <summary>Durable processes that count, with a side effect for each number, and say it once it is stored, until this program is killed.</summary>
public static class DurableCase
{
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public static async Task<int> Run(string kind, string path, int count)
    {
        await using MobileStore store = kind == "sqlite" ? SqliteStore.Open(path) : FileStore.Open(path);
        var node = new MobileNode("a", store: store);
        var restored = await store.ReadAsync();
        var processes = new List<MobileProcess<int>>();
        foreach (var stored in restored)
            processes.Add(node.Restore<int>(stored.Image.ToArray()));
        for (var i = restored.Count; i < count; i++)
        {
            var name = $"{Environment.ProcessId}.{i}";
            processes.Add(node.Start(() => Count(name)));
        }
        await Task.WhenAll(processes.Select(process => process.Completion));
        return 0;
    }

    static async Mobile<int> Count(string name)
    {
        for (var step = 0; ; step++)
        {
            var paid = step;
            await Here.Once($"{step}", _ => Pay(name, paid));
            Console.WriteLine($"{name} effect {Here.NextEffect().Step} {step}");
            await Here.Checkpoint();
            Console.WriteLine($"{name} {step}");
            await Here.Once($"{step}", _ => Pay(name, paid));   // is stored: nothing happens
            Here.Forget($"{step}");
        }
    }

    static Task Pay(string name, int step)
    {
        Console.WriteLine($"{name} once {step}");
        return Task.CompletedTask;
    }
}
