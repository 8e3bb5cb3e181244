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

    public static async Mobile<string> TryFrom(string first, string node)
    {
        await Here.MoveTo(first);
        return await Try(node);
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
