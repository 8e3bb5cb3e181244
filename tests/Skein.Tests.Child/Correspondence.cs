using System.Diagnostics;
using System.Globalization;

namespace Skein.Tests.Child;

/// <summary>Durable processes that write to each other, at nodes that are killed at chosen steps.</summary>
public static class Correspondence
{
    /// <summary>A node with a store of its own, until it is killed; by itself, just before or after a save of the given number.</summary>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public static async Task<int> RunNode(string name, string folder, string deadly)
    {
        await using var file = FileStore.Open(Path.Combine(folder, $"{name}.log"));
        await using var store = new DeadlyStore(file, deadly);
        await using var cluster = await ClusterNode.StartAsync(name, new() { Folder = folder, Store = store });
        Console.WriteLine($"ready {name}");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Writes all numbers, once it is told to. What it has written stays so, however often it is restored.</summary>
    public static async Mobile Write(string node, string reader, int count, string stored)
    {
        await Here.MoveTo(node);
        await Here.Checkpoint();
        await File.WriteAllTextAsync(stored, "");
        await Here.Event<bool>("go");
        for (var number = 1; number <= count; number++)
        {
            Here.Send(reader, ("process", number));
            if (number % 3 == 0)
                await Here.Checkpoint();
        }
    }

    /// <summary>Reads all numbers of each writer, and writes down what is not as it should be; at the end how many there were.</summary>
    public static async Mobile Read(string node, int count, string file)
    {
        await Here.MoveTo(node);
        await Here.Checkpoint();
        await File.WriteAllTextAsync(file, "stored\n");
        var last = new Dictionary<string, int> { ["process"] = 0, ["handle"] = 0 };
        for (var read = 1; read <= 2 * count; read++)
        {
            var (writer, number) = await Here.Receive<(string, int)>();
            if (number != last[writer] + 1)
                await File.AppendAllTextAsync(file, $"{number} of the {writer} after {last[writer]}\n");
            last[writer] = number;
            if (read % 5 == 0)
                await Here.Checkpoint();
        }
        await Here.Checkpoint();
        await File.AppendAllTextAsync(file, "all\n");
    }

    sealed class DeadlyStore : MobileStore
    {
        readonly MobileStore _inner;
        readonly string _when;
        int _left = -1;

        public DeadlyStore(MobileStore inner, string deadly)
        {
            _inner = inner;
            _when = deadly.Split(' ')[0];
            if (_when != "never")
                _left = int.Parse(deadly.Split(' ')[1], CultureInfo.InvariantCulture);
        }

        public override async ValueTask SaveAsync(string id, ReadOnlyMemory<byte> image, CancellationToken cancellation = default)
        {
            var isLast = Interlocked.Decrement(ref _left) == 0;
            if (isLast && _when == "before")
                Die();
            await _inner.SaveAsync(id, image, cancellation);
            if (isLast)
                Die();
        }

        public override ValueTask RemoveAsync(string id, CancellationToken cancellation = default) => _inner.RemoveAsync(id, cancellation);

        public override ValueTask<IReadOnlyList<StoredProcess>> ReadAsync(CancellationToken cancellation = default) => _inner.ReadAsync(cancellation);

        public override ValueTask DisposeAsync() => default;

        static void Die()
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();   // SIGKILL
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
