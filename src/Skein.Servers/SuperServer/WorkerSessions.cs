using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>In a worker: its sessions on their way to the workers that take its place, and those of the workers whose place it takes.</summary>
[SupportedOSPlatform("linux")]
sealed class WorkerSessions(HandlerServer server)
{
    // A worker that cannot say what it has holds up the clients of the next one for so long.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly List<(FileStream Pipe, Task Written)> _given = [];

    /// <summary>Writes copies of all sessions; what changes until this worker ends is written then.</summary>
    public void Give(int pipe)
    {
        var stream = Open(pipe, FileAccess.Write);
        _given.Add((stream, GiveAsync(stream)));
    }

    /// <summary>Goes on with what comes; returns when the copies are here, so that whoever connects next finds its session.</summary>
    public static void Take(int pipe)
    {
        var copied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Read(pipe, copied)) { IsBackground = true, Name = "skein-sessions" }.Start();
        ((IAsyncResult)copied.Task).AsyncWaitHandle.WaitOne(Patience);
    }

    /// <summary>Nothing is served here any more: what has changed goes after the copies.</summary>
    public async Task EndAsync()
    {
        foreach (var (pipe, written) in _given)
        {
            await written.ConfigureAwait(false);
            await using (pipe.ConfigureAwait(false))
                await WriteAsync(pipe, SessionHandOver.WriteRest).ConfigureAwait(false);
        }
    }

    async Task GiveAsync(FileStream pipe)
    {
        using var copies = new MemoryStream();
        try
        {
            await server.InvokeAsync(() => SessionHandOver.WriteCopies(copies)).ConfigureAwait(false);
        }
        catch (CannotTravelException error)
        {
            await Console.Error.WriteLineAsync($"Sessions cannot be handed over: {error.Message}").ConfigureAwait(false);
            return;
        }

        await WriteAsync(pipe, to => to.Write(copies.GetBuffer(), 0, (int)copies.Length)).ConfigureAwait(false);
    }

    // A thread of its own: the other side reads when it likes.
    static Task WriteAsync(FileStream pipe, Action<Stream> write) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                write(pipe);
            }
            catch (Exception error) when (error is IOException or CannotTravelException)
            {
                Console.Error.WriteLine($"Sessions cannot be handed over: {error.Message}");
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static void Read(int pipe, TaskCompletionSource copied)
    {
        try
        {
            using var stream = Open(pipe, FileAccess.Read);
            while (SessionHandOver.Read(stream))
                copied.TrySetResult();
        }
        catch (Exception error) when (error is IOException or InvalidDataException or ModuleVersionException)
        {
            Console.Error.WriteLine($"Sessions of the worker before this one are lost: {error.Message}");
        }

        copied.TrySetResult();
    }

    static FileStream Open(int pipe, FileAccess access) => new(new SafeFileHandle(pipe, ownsHandle: true), access, bufferSize: 0);
}
