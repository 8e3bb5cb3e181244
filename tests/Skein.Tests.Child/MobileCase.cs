namespace Skein.Tests.Child;

/// <summary>A mobile process goes on in this operating-system process: its image comes on standard input, its result goes to standard output.</summary>
public static class MobileCase
{
    public static async Task<int> Run()
    {
        var image = Convert.FromBase64String(await Console.In.ReadLineAsync() ?? "");
        var process = new MobileNode("child").Restore<string>(image);
        process.Send("message");
        Console.WriteLine(await process.Completion);
        return 0;
    }

    /// <summary>What the image holds: started by the test, finished here.</summary>
    public static async Mobile<string> Wander(int started)
    {
        var text = "";
        foreach (var word in new List<string> { "one", "two" }.Select(word => word.ToUpperInvariant()))
            text += $"{await Wait(word)} {(Environment.ProcessId == started ? "there" : "here")} {Here.Node}; ";
        return text;
    }

    static async Mobile<string> Wait(string word) => word == "ONE" ? $"{word} {await Here.Receive<string>()}" : word;
}
