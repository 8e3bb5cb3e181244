namespace Skein;

/// <summary>A thread of a server that runs handlers under <see cref="ServerModel.Iterative"/>, Threaded and Dispatcher.</summary>
public sealed class ServerThread
{
    [ThreadStatic] static ServerThread? _current;

    internal ServerThread(int number) => Number = number;

    /// <summary>The one that runs the calling handler; null elsewhere.</summary>
    public static ServerThread? Current
    {
        get => _current;
        internal set => _current = value;
    }

    /// <summary>Which of its server's threads it is, from 1.</summary>
    public int Number { get; }
}
