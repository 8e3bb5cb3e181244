using System.Globalization;

namespace Skein.Tests.Child;

/// <summary>A node that is an operating-system process of its own, and the mobile functions that the tests of such nodes start.</summary>
public static class NodeCase
{
    /// <summary>A node until standard input ends.</summary>
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public static async Task<int> Run(string name, string folder, string answerLimit)
    {
        await using var cluster = await ClusterNode.StartAsync(name, new()
        {
            Folder = folder,
            AnswerLimit = TimeSpan.FromMilliseconds(int.Parse(answerLimit, CultureInfo.InvariantCulture)),
        });
        Console.WriteLine($"ready {name}");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>A whole program at a node.</summary>
    public static int Print(string[] words)
    {
        Console.WriteLine(string.Join('|', words));
        Console.Error.WriteLine("to standard error");
        return 3;
    }

    public static async Task<int> Sleep()
    {
        await Task.Delay(TimeSpan.FromMinutes(5));
        return 0;
    }

    /// <summary>Until it is asked to end.</summary>
    public static int LastWords()
    {
        using var asked = new ManualResetEventSlim();
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            asked.Set();
        });
        Console.WriteLine("begun");
        asked.Wait();
        Console.WriteLine("last words");
        return 0;
    }

    public static async Mobile<int> Fail()
    {
        await Here.Yield();
        throw new InvalidOperationException("on purpose");
    }

    /// <summary>Fails there when it is sent something.</summary>
    public static async Mobile<string> FailAfter(string node)
    {
        await Here.MoveTo(node);
        await Here.Receive<string>();
        throw new InvalidOperationException("on purpose");
    }

    /// <summary>Goes there, leaves a file, and waits.</summary>
    public static async Mobile<string> LeaveFileAt(string node, string file)
    {
        await Here.MoveTo(node);
        File.WriteAllText(file, "");
        await Here.Event<bool>("end");
        return Here.Node!;
    }

    /// <summary>Goes to and fro between two nodes until it is told to end. Each step is a line of a file, so that two of it would be seen.</summary>
    public static async Mobile<string> Shuttle(string one, string other, string file)
    {
        var isEnding = false;
        var step = 0;

        async Mobile Move()
        {
            while (!isEnding)
            {
                try
                {
                    await Here.MoveTo(Here.Node == one ? other : one);
                }
                catch (CannotMoveException)
                {
                    await Here.Delay(TimeSpan.FromMilliseconds(5));
                }
                Write();
            }
        }

        void Write() => File.AppendAllText(file, $"{++step}\n");

        var moving = Move();
        await Here.Event<bool>("end");
        isEnding = true;
        await moving;
        Write();
        return Here.Node!;
    }

    /// <summary>Goes there, and says at its end where it is.</summary>
    public static async Mobile<string> Stay(string node)
    {
        await Here.MoveTo(node);
        await Here.Event<bool>("end");
        return Here.Node!;
    }

    /// <summary>The names of the nodes on its way.</summary>
    public static async Mobile<string> Visit(string[] nodes)
    {
        var way = Here.Node!;
        foreach (var node in nodes)
        {
            await Here.MoveTo(node);
            way += $" {Here.Node}";
        }
        return way;
    }

    /// <summary>Counts events until one is false. Each is a line of a file, so that two of it would be seen.</summary>
    public static async Mobile<string> CountEvents(string name, string file)
    {
        for (var count = 1; await Here.Event<bool>(name); count++)
            File.AppendAllText(file, $"{count}\n");
        return Here.Node!;
    }

    /// <summary>Leaves a file, and waits.</summary>
    public static async Mobile<string> LeaveFile(string file)
    {
        File.WriteAllText(file, "");
        await Here.Event<bool>("end");
        return Here.Node!;
    }

    /// <summary>Says how it has come out of its checkpoint, and waits.</summary>
    public static async Mobile Stored(string file)
    {
        var how = await Here.Checkpoint();
        Console.WriteLine($"{how}, before its node is ready, too");
        File.AppendAllText(file, $"{how}\n");
        await Here.Event<bool>("end");
    }

    public static async Mobile<string> StayUntilStopped(string node)
    {
        await Here.MoveTo(node);
        while (!Here.Stopping.IsCancellationRequested)
            await Here.Delay(TimeSpan.FromMilliseconds(5));
        return Here.Node!;
    }

    /// <summary>Prints what it is sent, and where it is, until that is <c>end</c>.</summary>
    public static async Mobile<int> Echo(string greeting)
    {
        Console.WriteLine(greeting);
        var lines = 0;
        for (var line = ""; line != "end"; lines++)
        {
            line = await Here.Receive<string>();
            Console.WriteLine($"{line} at {Here.Node}");
        }
        Console.Write("bye");   // a line without an end
        return lines;
    }

    public static async Mobile<string> TryFrom(string first, string node)
    {
        await Here.MoveTo(first);
        return await Try(node);
    }

    /// <summary>The same with so many bytes, which it counts afterwards, and references, which take a byte in an image and eight in memory.</summary>
    public static async Mobile<string> TryLarge(string node, int size, int references)
    {
        var empty = new object?[references];
        var parts = new byte[8][];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new byte[size / parts.Length];
            parts[i].AsSpan().Fill(1);
        }
        var where = await Try(node);
        return $"{parts.Sum(static part => part.AsSpan().Count((byte)1)) + empty.Length} {where}";
    }

    /// <summary>Tries once, and says how it came out.</summary>
    public static async Mobile<string> Try(string node)
    {
        try
        {
            await Here.MoveTo(node);
            return $"at {Here.Node}";
        }
        catch (CannotMoveException e)
        {
            return $"at {Here.Node}: {e.Message}";
        }
    }
}
