// Federated learning: three nodes, each an operating-system process, have fifty flowers each, of one kind, and show them to nobody. The code of a
// model goes to them, and what comes back of each round is a gradient: the sum over that node's flowers. The model is the same as if all
// flowers had been in one place, to rounding.
//
//   dotnet run samples/federated.cs
//   dotnet run samples/federated.cs -- samples/data/iris.csv 300     another file, another number of rounds
//
// What to see: the bytes that left each node. Each round costs the fifteen numbers of a gradient, however many flowers a node has; of so few
// as here the rows themselves would be shorter. What is bought is that no row leaves. (A gradient still tells something about the rows.)
//
// The data: Fisher, R. (1936), Iris, UCI Machine Learning Repository, doi:10.24432/C56C76, CC BY 4.0. See samples/data/README.md.

#:project ../src/Skein.Cluster
using System.Globalization;
using System.Runtime.Versioning;
using Skein;

[assembly: SupportedOSPlatform("linux")]

string[] nodes = ["a", "b", "c"];
var file = args.Length > 0 ? args[0] : Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "data", "iris.csv");
var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 300;

var folder = Directory.CreateTempSubdirectory("skein-federated-").FullName;
var processes = await Task.WhenAll(nodes.Select((node, part) => StartNode(new(node, folder, Path.GetFullPath(file), part, nodes.Length))));
await using (var home = await ClusterNode.StartAsync("home", new() { Folder = folder }))
{
    var trainer = home.Node.Start(() => Train(rounds, nodes.Length));
    trainer.Send(nodes.Select(node => home.Node.Start(() => Learn(node, trainer.Id)).Id).ToArray());
    var weights = await trainer.Completion;

    Console.WriteLine($"{"node",-6}{"rows",6}{"bytes that left it",20}{"each round",12}");
    foreach (var node in nodes)
    {
        var (rows, sent) = await home.Node.Start(() => Count(node)).Completion;
        Console.WriteLine($"{node,-6}{rows,6}{sent,20}{(double)sent / rounds,12:F0}");
    }

    var all = Flowers.Read(file);
    var central = new double[Model.Length];
    for (var round = 0; round < rounds; round++)
        Model.Improve(central, Model.Gradient(central, all), all.Length);
    Console.WriteLine($"largest difference from training in one place: {weights.Zip(central).Max(pair => Math.Abs(pair.First - pair.Second)):E1}");
    Console.WriteLine($"flowers whose kind it tells: {all.Count(flower => Model.KindOf(weights, flower) == flower.Kind)} of {all.Length}");
}

foreach (var process in processes)
    await process.DisposeAsync();
Directory.Delete(folder, recursive: true);

// At home: sends the weights to all, adds up their gradients, and so on.
static async Mobile<double[]> Train(int rounds, int nodes)
{
    var learners = await Here.Receive<string[]>();
    var weights = new double[Model.Length];
    var gradients = new Gradient[nodes];
    for (var round = 0; round < rounds; round++)
    {
        foreach (var learner in learners)
            Here.Send(learner, weights);
        for (var i = 0; i < nodes; i++)
            gradients[i] = await Here.Receive<Gradient>();
        Array.Sort(gradients, static (one, other) => string.CompareOrdinal(one.Node, other.Node));   // whoever was first: the sum is the same to the last bit
        Model.Improve(weights, [.. Enumerable.Range(0, Model.Length).Select(i => gradients.Sum(gradient => gradient.Values[i]))], gradients.Sum(gradient => gradient.Rows));
    }

    foreach (var learner in learners)
        Here.Send(learner, Array.Empty<double>());   // that was all
    return weights;
}

// At the data: they are the node's, and stay there.
static async Mobile Learn(string node, string trainer)
{
    await Here.MoveTo(node);
    while (await Here.Receive<double[]>() is { Length: > 0 } weights)
    {
        var rows = Here.Resource<Flower[]>("rows");
        Here.Send(trainer, new Gradient(node, rows.Length, Model.Gradient(weights, rows)));
    }
}

// What has left a node so far.
static async Mobile<(int Rows, long Sent)> Count(string node)
{
    await Here.MoveTo(node);
    return (Here.Resource<Flower[]>("rows").Length, Here.Resource<ClusterNode>("cluster").SentBytes);
}

// A node: this program once more, with its part of the file.
static async Task<Process<Nothing>> StartNode(Part part)
{
    var ready = new TaskCompletionSource();
    var process = await Place.OsProcess.StartAsync(RunNode, part, Callback.To((string _) => ready.TrySetResult()));
    await await Task.WhenAny(ready.Task, process.Completion);
    return process;
}

static async Task RunNode(Part part, Callback<string, bool> ready)
{
    await using var cluster = await ClusterNode.StartAsync(part.Node, new() { Folder = part.Folder });
    var all = Flowers.Read(part.File);
    cluster.Node.Provide("rows", all.Where((_, row) => row * part.Of / all.Length == part.Number).ToArray());
    cluster.Node.Provide("cluster", cluster);
    await ready.InvokeAsync(part.Node);
    await Task.Delay(Timeout.InfiniteTimeSpan, Here.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

sealed record Part(string Node, string Folder, string File, int Number, int Of);

sealed record Gradient(string Node, int Rows, double[] Values);

sealed record Flower(double[] Sizes, int Kind);

static class Flowers
{
    // The first line says how many there are; then four sizes in centimetres and the number of the kind.
    public static Flower[] Read(string file) =>
    [
        .. File.ReadLines(file).Skip(1).Select(line => Array.ConvertAll(line.Split(','), cell => double.Parse(cell, CultureInfo.InvariantCulture)))
            .Select(cells => new Flower([.. cells[..^1], 1], (int)cells[^1])),   // the 1 is for the constant part of the model
    ];
}

// Multinomial logistic regression: the chance of each kind is the softmax of a weighted sum.
static class Model
{
    const int Kinds = 3, Sizes = 5;
    const double Step = 0.05;

    public const int Length = Kinds * Sizes;

    // The sum over these flowers.
    public static double[] Gradient(double[] weights, Flower[] flowers)
    {
        var sum = new double[Length];
        foreach (var flower in flowers)
        {
            var chances = Array.ConvertAll(Scores(weights, flower), Math.Exp);
            var all = chances.Sum();
            for (var i = 0; i < Length; i++)
                sum[i] += (chances[i / Sizes] / all - (flower.Kind == i / Sizes ? 1 : 0)) * flower.Sizes[i % Sizes];
        }

        return sum;
    }

    public static void Improve(double[] weights, double[] gradient, int flowers)
    {
        for (var i = 0; i < Length; i++)
            weights[i] -= Step * gradient[i] / flowers;
    }

    public static int KindOf(double[] weights, Flower flower)
    {
        var scores = Scores(weights, flower);
        return Array.IndexOf(scores, scores.Max());
    }

    static double[] Scores(double[] weights, Flower flower) =>
        [.. Enumerable.Range(0, Kinds).Select(kind => Enumerable.Range(0, Sizes).Sum(i => weights[kind * Sizes + i] * flower.Sizes[i]))];
}
