using System.Reflection;

namespace Skein.Cli;

/// <summary>An exception as its user can use it: without the frames that are Skein's own.</summary>
static class UserTrace
{
    const string Frame = "   at ";

    static readonly Assembly[] Ours = [typeof(UserTrace).Assembly, typeof(ClusterNode).Assembly, typeof(MobileNode).Assembly];

    /// <summary>Empty where no frame of the user is left: then the message says all that there is.</summary>
    public static string Of(Exception error)
    {
        var lines = error.ToString().Split('\n').Where(static line => !IsOurs(line)).ToList();
        if (!lines.Exists(static line => line.StartsWith(Frame, StringComparison.Ordinal) && !line.StartsWith(Frame + "System.", StringComparison.Ordinal)))
            return "";
        while (lines[^1].Trim() is "" || lines[^1].StartsWith("---", StringComparison.Ordinal))
            lines.RemoveAt(lines.Count - 1);   // said of frames that follow
        return string.Join('\n', lines) + "\n";
    }

    static bool IsOurs(string line)
    {
        if (!line.StartsWith(Frame + "Skein.", StringComparison.Ordinal))
            return false;
        var name = line[Frame.Length..(line.IndexOf('(', StringComparison.Ordinal) is > 0 and var end ? end : line.Length)];
        for (var dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
        {
            if (Array.Exists(Ours, ours => ours.GetType(name[..dot]) is not null))
                return true;
        }
        return false;
    }
}
