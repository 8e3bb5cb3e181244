using System.Collections.Concurrent;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace Skein;

/// <summary>
/// The one thread of a super-server: it accepts, starts programs and waits for their end. It owns the state of all services, so nothing
/// of it is locked, and it is the parent of all programs: they end when it does.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ServiceLoop : IDisposable
{
    const ulong Wakeup = 0;
    const int AtOnce = 64;

    readonly Epoll _epoll = new();
    readonly Dictionary<ulong, Action> _ready = [];
    readonly PriorityQueue<Action, long> _timers = new();
    readonly ConcurrentQueue<Action> _posted = new();
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ILogger _logger;
    readonly LoopWakeup _wakeup = new();
    ulong _tokens;
    bool _isEnding;

    public ServiceLoop(string name, ILogger logger)
    {
        _logger = logger;
        _epoll.Add(_wakeup.Descriptor, Epoll.In, Wakeup);
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>From now on the action runs whenever something can be read, again and again. Only on the loop's thread, as is the end of it.</summary>
    public ulong Watch(int descriptor, Action ready)
    {
        var token = ++_tokens;
        _epoll.Add(descriptor, Epoll.In, token);
        _ready.Add(token, ready);
        return token;
    }

    public void Unwatch(int descriptor, ulong token)
    {
        if (_ready.Remove(token))
            _epoll.Remove(descriptor);
    }

    /// <summary>Runs something on the loop's thread after a while. Only on that thread.</summary>
    public void After(TimeSpan time, Action action) =>
        _timers.Enqueue(action, Environment.TickCount64 + Math.Max(1, (long)Math.Min(time.TotalMilliseconds, int.MaxValue)));

    /// <summary>Runs something on the loop's thread; from any thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        _wakeup.Set();
    }

    /// <summary>The same, and completes when it was run.</summary>
    public async Task<T> InvokeAsync<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception error)
            {
                done.SetException(error);   // it is the caller's; this thread serves everybody
            }
        });
        await Task.WhenAny(done.Task, _ended.Task).ConfigureAwait(false);
        return done.Task.IsCompleted ? await done.Task.ConfigureAwait(false) : throw new ObjectDisposedException(nameof(SuperServer));
    }

    public Task InvokeAsync(Action action) => InvokeAsync(() =>
    {
        action();
        return true;
    });

    /// <summary>Ends the thread. Programs that still run are killed by that.</summary>
    public Task EndAsync()
    {
        if (!_ended.Task.IsCompleted)
            Post(() => _isEnding = true);
        return _ended.Task;
    }

    unsafe void Run()
    {
        var tokens = stackalloc ulong[AtOnce];
        while (!_isEnding)
        {
            var count = _epoll.Wait(new Span<ulong>(tokens, AtOnce), UntilNext());
            for (var i = 0; i < count; i++)
            {
                if (tokens[i] == Wakeup)
                    Awaken();
                else if (_ready.TryGetValue(tokens[i], out var ready))
                    Take(ready);
            }

            while (_timers.TryPeek(out var due, out var at) && at <= Environment.TickCount64)
            {
                _timers.Dequeue();
                Take(due);
            }
        }

        Dispose();
        _ended.SetResult();
    }

    /// <summary>By the thread itself, as the last thing it does.</summary>
    public void Dispose()
    {
        _epoll.Dispose();
        _wakeup.Dispose();
    }

    int UntilNext() => _timers.TryPeek(out _, out var at) ? (int)Math.Clamp(at - Environment.TickCount64, 0, int.MaxValue) : -1;

    void Awaken()
    {
        _wakeup.Clear();
        while (_posted.TryDequeue(out var posted))
            Take(posted);
    }

    void Take(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error)
        {
            _logger.ShouldNotHaveHappened(error);   // all other services go on
        }
    }
}
