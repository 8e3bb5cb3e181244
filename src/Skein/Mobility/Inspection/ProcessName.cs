namespace Skein;

/// <summary>What a process is called for people: the function that it was started with.</summary>
static class ProcessName
{
    /// <summary>Empty before it has waited for the first time. From any thread.</summary>
    public static string Of(MobileFrame? root)
    {
        for (var frame = Final(root); frame is IMethodFrame { StateMachine: { } machine }; frame = Final(Callee(machine)))
        {
            if (machine.GetType().Assembly != typeof(ProcessName).Assembly)
                return FrameNames.Of(machine.GetType()).Replace("()", "", StringComparison.Ordinal);
            if (FrameNames.Variables(machine).Select(static one => one.Value).OfType<INamedFunction>().FirstOrDefault() is { } named)
                return named.FunctionName;   // an ordinary function, carried out by one of ours
        }
        return "";
    }

    /// <summary>What has taken its place, if something has.</summary>
    static MobileFrame? Final(MobileFrame? frame)
    {
        while (frame is IMigratedFrame { Successor: { } successor })
            frame = successor;
        return frame;
    }

    static MobileFrame? Callee(object machine) => FrameNames.Awaited(machine).FirstOrDefault();
}

/// <summary>What carries out a function that is not mobile.</summary>
interface INamedFunction
{
    string FunctionName { get; }
}
