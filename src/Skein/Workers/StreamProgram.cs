using System.Diagnostics;

namespace Skein;

/// <summary>
/// A worker that is connected to its parent by one stream of bytes in each direction. One thread takes frames from it: calls go to the
/// thread that executes them, all else takes effect at once.
/// </summary>
sealed class StreamProgram : WorkerProgram
{
    readonly FrameStream _frames;
    static readonly TimeSpan IdleBeforeTrim = TimeSpan.FromSeconds(1);

    readonly Queue<byte[]> _calls = new();
    bool _ending, _hasRun;

    StreamProgram(string id, FrameStream frames) : base(id, new StreamLink(frames))
    {
        _frames = frames;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Outbox.SendUse(ProcessFamily.OwnUse());
    }

    /// <summary>Connects to the parent and serves it until it says so or has died. Never returns.</summary>
    public static void Run(string pipe, string secret, string id)
    {
        ProcessFamily.Found();
        new StreamProgram(id, new(WorkerPipe.Connect(pipe, secret))).Run();
    }

    protected override void Serve()
    {
        while (!IsBroken && Next() is { } call)
        {
            Begin(call[1]);
            Outbox.Show(call[1], -1);
            Execute(call, Stopwatch.GetTimestamp());
            EndOfCall();
        }
    }

    byte[]? Next()
    {
        lock (_calls)
        {
            byte[]? call;
            while (!_calls.TryDequeue(out call) && !_ending)
            {
                if (!_hasRun)
                {
                    Monitor.Wait(_calls);
                }
                else if (!Monitor.Wait(_calls, IdleBeforeTrim))
                {
                    // A worker that idles gives back what it does not need, once.
                    _hasRun = false;
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                }
            }

            _hasRun = true;
            return call;
        }
    }

    protected override void WatchParent()
    {
        try
        {
            while (_frames.Read() is { } frame)
                Take(frame.Body.Span);
        }
        catch (Exception error) when (error is IOException or InvalidDataException)
        {
            // A parent whose words cannot be read is none.
        }

        if (!OperatingSystem.IsWindows())
            RuntimeFiles.Remove(Environment.ProcessId, Path.GetTempPath());   // nobody is left to do it afterwards
        ProcessFamily.End();
    }

    void Take(ReadOnlySpan<byte> message)
    {
        if (message.Length > 1 && (WorkerFrame)message[0] == WorkerFrame.Call)
        {
            Queue(message.ToArray(), ending: false);
            return;
        }

        if (message.Length < ControlSender.Header)
            throw new InvalidDataException("A message that is too short.");
        var (kind, number, more) = ControlSender.Parse(message);
        if (!TryControl(kind, number, more, ControlSender.Rest(message)) && kind == WorkerFrame.End)
            Queue(null, ending: true);
    }

    void Queue(byte[]? call, bool ending)
    {
        lock (_calls)
        {
            if (call is not null)
                _calls.Enqueue(call);
            _ending |= ending;
            Monitor.Pulse(_calls);
        }
    }
}
