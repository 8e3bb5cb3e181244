using System.ComponentModel;
using System.Diagnostics;

namespace Skein;

/// <summary>
/// An operating-system process that this one started by what every operating system has, and what it may use. Its limits take effect a
/// moment after its start.
/// </summary>
sealed class PortableChild : IDisposable
{
    static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(100);

    // What the process started may hold its output open for ever.
    static readonly TimeSpan OutputLimit = TimeSpan.FromSeconds(2);

    readonly Process _process;
    readonly Lock _gate = new();
    Timer? _watch;
    ResourceUse _use;

    PortableChild(Process process)
    {
        _process = process;
        Id = process.Id;
        Exited = WaitAsync();
    }

    public int Id { get; }

    /// <summary>Completes when it has ended; never fails.</summary>
    public Task<ExitStatus> Exited { get; }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    public Stream Errors => _process.StandardError.BaseStream;

    /// <exception cref="Win32Exception">The operating system refused.</exception>
    /// <exception cref="PlaceException">It cannot be held to its limits here.</exception>
    public static PortableChild Start(ProcessStartInfo start, ProcessOptions options)
    {
        var affinity = Affinity(options.Processors);
        var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch
        {
            process.Dispose();
            throw;
        }

        var child = new PortableChild(process);
        try
        {
            if (options.Niceness is { } niceness)
                process.PriorityClass = Priority(niceness);
            if (affinity != 0 && (OperatingSystem.IsWindows() || OperatingSystem.IsLinux()))
                process.ProcessorAffinity = affinity;
            return child;
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException)
        {
            if (child.Exited.IsCompleted || process.HasExited)
                return child;   // it was done before it could be held to anything
            child.Kill();
            throw new PlaceException($"{start.FileName} cannot run with these priorities or processors: {error.Message}", error);
        }
    }

    /// <summary>Looks at its memory ten times a second and says once when it is above the limit.</summary>
    public void WatchMemory(long limit, Action exceeded)
    {
        _watch = new(_ =>
        {
            if (!(Sample() > limit))
                return;
            _watch?.Dispose();
            exceeded();
        }, null, WatchInterval, WatchInterval);
    }

    /// <summary>Ends it and what it has started, as far as that is still known to be its own.</summary>
    public void Kill()
    {
        Sample();
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended already, or a part of the tree has.
        }
    }

    /// <summary>Sends it a signal; a system without signals can only end it (SIGTERM, SIGKILL).</summary>
    /// <exception cref="PlaceException">There is no such thing here.</exception>
    public void Signal(int signal)
    {
        if (Exited.IsCompleted)
            return;
        if (!OperatingSystem.IsWindows())
            _ = ProcessFamily.Signal(Id, signal);
        else if (signal is ProcessFamily.SigKill or ProcessFamily.SigTerm)
            Kill();
        else
            throw new PlaceException($"Windows has no signal {signal}: a process can be killed, or asked by what it listens to.");
    }

    /// <summary>What it has used, as far as that is known: its last words may be read after its end.</summary>
    public ResourceUse Use
    {
        get
        {
            lock (_gate)
                return _use;
        }
    }

    /// <summary>What it said itself that it has used.</summary>
    public void Note(ResourceUse use)
    {
        lock (_gate)
            _use = use;
    }

    /// <summary>
    /// Reads a stream of it to its end. The sink gets the bytes in order; the task completes after the last one, or a moment after the
    /// process has ended.
    /// </summary>
    public async Task ForwardAsync(Stream stream, Action<ReadOnlySpan<byte>> sink)
    {
        using var over = new CancellationTokenSource();
        var reading = ReadAsync(stream, sink, over.Token);
        _ = reading.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await Task.WhenAny(reading, Exited).ConfigureAwait(false);
        try
        {
            await reading.WaitAsync(OutputLimit, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!reading.IsCompleted)
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _watch?.Dispose();
        _process.Dispose();
    }

    static async Task ReadAsync(Stream stream, Action<ReadOnlySpan<byte>> sink, CancellationToken cancellation)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            int length;
            try
            {
                length = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }

            if (length == 0)
                return;
            sink(buffer.AsSpan(0, length));
        }
    }

    async Task<ExitStatus> WaitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        if (_watch is { } watch)
            await watch.DisposeAsync().ConfigureAwait(false);
        Sample();   // some systems still know
        var code = _process.ExitCode;
        lock (_gate)
        {
            // On Unix .NET says 128 and the number of a signal, as a shell does.
            return !OperatingSystem.IsWindows() && code is > 128 and <= 128 + 64
                ? new(-1, code - 128, false, _use)
                : new(code, 0, false, _use);
        }
    }

    /// <summary>Returns its resident memory; null when it has ended.</summary>
    long? Sample()
    {
        try
        {
            lock (_gate)
            {
                _process.Refresh();
                var use = ProcessFamily.UseOf(_process);
                _use = use with { PeakResidentBytes = Math.Max(use.PeakResidentBytes, _use.PeakResidentBytes) };
                return _process.WorkingSet64;
            }
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception or NotSupportedException)
        {
            return null;
        }
    }

    // Windows has classes where Unix has numbers; .NET turns them into -11 to 19 there.
    static ProcessPriorityClass Priority(int niceness) => niceness switch
    {
        >= 15 => ProcessPriorityClass.Idle,
        > 0 => ProcessPriorityClass.BelowNormal,
        0 => ProcessPriorityClass.Normal,
        >= -9 => ProcessPriorityClass.AboveNormal,
        _ => ProcessPriorityClass.High,
    };

    static nint Affinity(IReadOnlyList<int>? processors)
    {
        if (processors is null)
            return 0;
        if (!OperatingSystem.IsWindows() && !OperatingSystem.IsLinux())
            throw new PlaceException("This operating system cannot keep a process to some processors: leave ProcessOptions.Processors out.");
        nint mask = 0;
        foreach (var processor in processors)
        {
            if (processor < 0 || processor >= nint.Size * 8)
                throw new PlaceException($"Processor {processor} cannot be named here: the first {nint.Size * 8} can.");
            mask |= (nint)1 << processor;
        }

        return mask;
    }
}
