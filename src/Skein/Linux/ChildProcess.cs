using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Skein;

/// <summary>
/// A process that <see cref="Spawner"/> started. It is waited for whether or not anybody holds this object: <see cref="ChildWatcher"/>
/// does. Disposing gives up the descriptor, not the process.
/// </summary>
[SupportedOSPlatform("linux")]
sealed class ChildProcess : IDisposable
{
    readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly SafeFileHandle _handle;
    readonly Lock _lock = new();
    readonly long _peakOfParent;
    readonly long _started = TimeProvider.System.GetTimestamp();
    Action<ExitStatus>? _onExit;
    ExitStatus? _status;

    /// <summary>Takes over the pidfd of a child that has just been made.</summary>
    public ChildProcess(int id, int descriptor, string marker, Cgroup? cgroup)
    {
        Id = id;
        Marker = marker;
        Cgroup = cgroup;
        _handle = new(descriptor, ownsHandle: true);
        _peakOfParent = ProcessDescriptor.OwnPeakResident;
    }

    public int Id { get; }

    /// <summary>Its pidfd, open until this object is disposed and the process has ended.</summary>
    public int Descriptor => (int)_handle.DangerousGetHandle();

    /// <summary>The value of the environment variable by which its descendants are known (<see cref="Descendants"/>).</summary>
    public string Marker { get; }

    public Cgroup? Cgroup { get; }

    /// <summary>Completes when it has ended. Never fails.</summary>
    public Task<ExitStatus> Exited => _exited.Task;

    /// <summary>
    /// Calls back on the watching thread as soon as it has ended, before <see cref="Exited"/> completes; at once where it has already.
    /// The callback must be short and must not throw: the ends of other children wait for it.
    /// </summary>
    public void OnExit(Action<ExitStatus> callback)
    {
        ExitStatus status;
        lock (_lock)
        {
            if (_status is null)
            {
                _onExit += callback;
                return;
            }

            status = _status.Value;
        }

        callback(status);
    }

    /// <summary>A machine cannot give out all its process numbers within a second, so they have not begun anew since the start.</summary>
    bool HasLivedAMoment => TimeProvider.System.GetElapsedTime(_started) < TimeSpan.FromSeconds(1);

    /// <summary>Asks the kernel, which knows before <see cref="Exited"/> does. For a thread that must not wait for the watching one.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
                return _status is not null || ProcessDescriptor.HasEnded(Descriptor);
        }
    }

    /// <summary>Sends it a signal; false where it has ended.</summary>
    public bool Signal(int signal)
    {
        lock (_lock)
            return _status is null && ProcessDescriptor.Signal(Descriptor, signal);
    }

    /// <summary>
    /// Kills it and everything it started, also what left its group or lost its parent meanwhile (<see cref="Descendants"/>).
    /// Returns when all have got the signal; <see cref="Exited"/> completes a moment later.
    /// </summary>
    public void Kill()
    {
        // As long as it has not been waited for, its number is not given to another process, nor to another group.
        long? since = null;
        lock (_lock)
        {
            if (_status is null)
            {
                ProcessDescriptor.Signal(Descriptor, ProcessDescriptor.SIGSTOP);
                since = ProcessStatus.Read(Id)?.StartTime;
            }
        }

        try
        {
            Descendants.Kill(Marker, since ?? 0, since is null ? null : Id, since is null && HasLivedAMoment ? Id : null);
        }
        catch (IOException)
        {
            // No descriptor is left to look at other processes: then only its group can be killed.
        }

        Cgroup?.KillAll();
        lock (_lock)
        {
            if (_status is null)
            {
                ProcessDescriptor.KillGroup(Id);
                ProcessDescriptor.Signal(Descriptor, ProcessDescriptor.SIGKILL);
            }
        }
    }

    /// <summary>Takes the exit status and tells everybody. Called once, by the watcher, when the pidfd has become readable.</summary>
    public void Reap()
    {
        ExitStatus status;
        Action<ExitStatus>? callback;
        lock (_lock)
        {
            status = TakeStatus();
            _status = status;
            callback = _onExit;
            _onExit = null;
        }

        callback?.Invoke(status);
        _exited.SetResult(status);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_status is null)
                _onExit += _ => _handle.Dispose();
            else
                _handle.Dispose();
        }
    }

    ExitStatus TakeStatus()
    {
        if (!ProcessDescriptor.Wait(Descriptor, out var status, out var usage))
            return ExitStatus.Lost;
        var peak = usage.PeakKilobytes << 10;
        var use = new ResourceUse(
            new(usage.UserSeconds * TimeSpan.TicksPerSecond + usage.UserMicroseconds * TimeSpan.TicksPerMicrosecond),
            new(usage.SystemSeconds * TimeSpan.TicksPerSecond + usage.SystemMicroseconds * TimeSpan.TicksPerMicrosecond),
            peak,
            peak <= _peakOfParent,
            usage.MinorFaults,
            usage.MajorFaults,
            usage.VoluntarySwitches,
            usage.InvoluntarySwitches);
        return status.Code == ProcessDescriptor.SignalInformation.ByReturn
            ? new(status.Status, 0, false, use)
            : new(-1, status.Status, status.Code == ProcessDescriptor.SignalInformation.ByCoreDump, use);
    }
}
