using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Skein.Tests.Structure;

/// <summary>The root of the library is the idea; folders before it are what it is built of, folders after it what is built with it.</summary>
public partial class FolderTests
{
    // A folder may use only those before it, and those on its own line. These lists are the one place to change the order.
    static readonly Dictionary<string, string[][]> Orders = new()
    {
        ["src/Skein"] =
        [
            ["Linux"],
            ["Wire"],
            ["Channels"],
            ["Handover"],
            ["Mobility"],
            ["Containers"],
            ["", "Workers"],   // the root of src/Skein, which is the idea, and how it is carried out in another process
            ["Pools"],
        ],
        ["src/Skein.Cluster"] = [["Sqlite"], [""]],
        ["src/Skein.Servers"] =
        [
            ["", "Threads"],   // the word for how a server serves, and the threads that make it true
            ["Interruption"],
            ["Http"],
            ["Isolated"],
            ["Streams"],
            ["Control"],   // how a server that runs is asked
            ["State"],
            ["Clients"],
            ["Served"],    // a worker of `skein serve`: what happens inside of the application
            ["Prefork"],   // its master
            ["SuperServer"],
            ["Objects"],
        ],
    };

    // The test compares words, so a member that is called as a type of a later folder is taken for its use: rename it.
    // Where that would be worse than the confusion, the file and the word stand here.
    static readonly string[] Members =
    [
        "Handover/PeerMessage.cs: Ask",
        "Handover/PeerMessage.cs: Letter",
        "Linux/DescriptorSocket.cs: Here",
        "Linux/SpawnTable.cs: Exit",
        "Wire/Frame.cs: Answer",
        "Wire/Frame.cs: Callback",
        "Wire/ModuleVersionException.cs: Here",
        "Wire/ObjectNumbers.cs: Place",
    ];

    public static TheoryData<string> Projects => [.. Orders.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_folder_uses_only_the_folders_before_it(string project)
    {
        var files = Repository.Sources(project)
            .Select(file => (file.Path, Folder: FolderOf(file.Path), Code: NotCode().Replace(file.Text, "")))
            .ToArray();
        var home = files
            .SelectMany(file => Declaration().Matches(file.Code).Select(type => (Name: type.Groups[1].Value, file.Folder)))
            .DistinctBy(type => type.Name)
            .ToDictionary(type => type.Name, type => type.Folder);

        var backwards =
            from file in files
            from word in Word().Matches(file.Code).Select(word => word.Value).Except(OwnType().Matches(file.Code).Select(type => type.Groups[1].Value))
            where !Members.Contains($"{file.Path}: {word}")
            where home.TryGetValue(word, out var folder) && Level(project, folder) > Level(project, file.Folder)
            select $"{file.Path} uses {word}, which is of '{home[word]}'";

        Assert.Equal([], backwards);
    }

    /// <summary>A folder of one screen needs no folders in it; one that is longer may be sorted once.</summary>
    [Theory]
    [MemberData(nameof(Projects))]
    public void Only_a_folder_that_fills_a_screen_has_folders_in_it_and_those_have_none(string project)
    {
        const int Screen = 40;
        var parts = Repository.Sources(project).Select(file => file.Path.Split('/')).ToArray();
        Assert.All(parts, path => Assert.True(path.Length <= 3, string.Join('/', path)));
        Assert.All(parts.Where(path => path.Length == 3).Select(path => path[0]).Distinct(),
            folder => Assert.True(parts.Count(path => path[0] == folder) > Screen, $"{project}/{folder} is short enough to be read without folders in it"));
    }

    [Fact]
    public void Only_the_tests_the_servers_and_the_cluster_see_what_is_not_public() =>
        Assert.All(
            typeof(GraphCodec).Assembly.GetCustomAttributes(typeof(InternalsVisibleToAttribute), false).Cast<InternalsVisibleToAttribute>(),
            friend => Assert.True(friend.AssemblyName is "Skein.Servers" or "Skein.Cluster" || friend.AssemblyName.StartsWith("Skein.Tests", StringComparison.Ordinal)));

    static string FolderOf(string path) => path.Split('/') is [var folder, _, ..] ? folder : "";

    static int Level(string project, string folder)
    {
        var level = Array.FindIndex(Orders[project], line => line.Contains(folder));
        Assert.True(level >= 0, $"{project}/{folder} has no place in the order of folders.");
        return level;
    }

    [GeneratedRegex("""//.*|"(?:\\.|[^"\\\n])*"|/\*.*?\*/""")] private static partial Regex NotCode();
    // Only what begins a line: a type inside of another is named through it.
    [GeneratedRegex(@"^(?:[a-z]+ )*(?:class|struct|record|interface|enum|delegate [^\s(]+) ([A-Z]\w*)", RegexOptions.Multiline)] private static partial Regex Declaration();
    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum) ([A-Z]\w*)")] private static partial Regex OwnType();
    [GeneratedRegex(@"(?<!\.)\b[A-Z]\w*\b")] private static partial Regex Word();
}
