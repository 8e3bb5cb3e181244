using System.Reflection;
using System.Text;

namespace Skein.Cli;

/// <summary>Calls a C# function for each input, in the warm workers of a pool. This process is the user's application (<see cref="ApplicationHook"/>).</summary>
sealed class FunctionRunner : JobRunner, IAsyncDisposable
{
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    readonly MapRequest _request;
    readonly Delegate _function;
    readonly Type _resultType;
    readonly WorkerPool _pool;
    readonly int _workers;
    readonly Timer _look;
    bool _isWithoutWorkers;

    FunctionRunner(MapRequest request, MethodInfo function, WorkerPool pool, int workers)
    {
        _request = request;
        _function = FunctionCall.DelegateOf(function);
        _resultType = FunctionCall.ResultType(function);
        _pool = pool;
        _workers = workers;
        _look = new(_ => LookForWorkers(), null, LookInterval, LookInterval);
    }

    public override long? Restarts => Math.Max(0, _pool.StartedWorkers - _workers);

    /// <summary>Finds the function and starts its workers.</summary>
    public static async Task<FunctionRunner> StartAsync(MapRequest request)
    {
        var function = FunctionName.Find(Assembly.GetEntryAssembly()!, request.Function!);
        _ = new InputArguments(function); // refuses parameters that no input can become, before any worker is started
        var workers = request.Inputs is { Length: > 0 and var count } && count < request.Jobs ? count : request.Jobs;
        try
        {
            if (request.Limits.InThread)
                PrintedText.Redirect();
            var pool = await WorkerPool.StartAsync(request.Limits.InThread ? Place.Thread : Place.OsProcess, new()
            {
                Workers = workers,
                MemoryLimit = request.Limits.Memory,
                TaskTimeout = request.Limits.Timeout,
                Grace = request.Limits.Grace,
                OnOutput = request.Limits.InThread ? null : Forward,
                OnError = request.Limits.InThread ? null : Forward,
                Environment = request.Limits.InThread ? new Dictionary<string, string>() : ApplicationHook.OfWorkers(),
            }).ConfigureAwait(false);
            return new(request, function, pool, workers);
        }
        catch (PlaceException error)
        {
            throw new CommandFailure(ExitCode.Unavailable, error.Message);
        }
    }

    /// <summary>The call as a line.</summary>
    public static string Describe(string function, Job job) => $"{function} {ShellText.Quote(job.Input)}";

    public override string Describe(Job job) => Describe(_request.Function!, job);

    public override async Task<JobEnd> RunAsync(Job job, JobOutput output, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        try
        {
            var result = await _pool.RunAsync(FunctionCall.InvokeAsync, _function, job.Input, stop).ConfigureAwait(false);
            if (result is RefusedInput refused)
                return new(JobCause.Threw, ExitCode.Usage, Detail: refused.Message);
            ResultText.Append(output.Output, result, _resultType);
            return new(JobCause.Exited, 0);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return new(JobCause.Stopped, ExitCode.OfSignal(15));
        }
        catch (ProcessLostException lost)
        {
            return ProgramEnd.OfWorker(lost.Exit);
        }
        catch (TimeoutException) when (_request.Limits.Timeout is { } limit && TimeProvider.System.GetElapsedTime(started) >= limit)
        {
            return new(JobCause.TimedOut, ExitCode.TimedOut);
        }
        catch (OutOfMemoryException) when (_request.Limits.Memory is not null)
        {
            return new(JobCause.OutOfMemory, ExitCode.OutOfMemory);
        }
        catch (Exception error) when (error is not CommandFailure)
        {
            output.Error.Append(Encoding.UTF8.GetBytes(Told(error)));
            return new(JobCause.Threw, ExitCode.Software, Detail: $"{error.GetType().Name}: {error.Message}");
        }
    }

    // A thread is left to itself, and ends with this process.
    public override void Kill() => _pool.Kill();

    public async ValueTask DisposeAsync()
    {
        await _look.DisposeAsync().ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
    }

    // Inputs wait as long as no worker can be started: whoever waits for them shall know why.
    void LookForWorkers()
    {
        var failure = _pool.WorkerCount == 0 ? _pool.LastFailure : null;
        if (failure is not null && !_isWithoutWorkers)
            Messages.Error($"no worker can be started, and the inputs wait: {failure.Message}");
        _isWithoutWorkers = failure is not null;
    }

    /// <summary>The exception with the user's part of its stack.</summary>
    static string Told(Exception error)
    {
        var lines = error.ToString().Split('\n').TakeWhile(line => !line.Contains("at InvokeStub_", StringComparison.Ordinal)
            && !line.Contains("at System.Reflection.MethodBaseInvoker.", StringComparison.Ordinal)
            && !line.Contains("at Skein.", StringComparison.Ordinal));
        return string.Join('\n', lines) + "\n";
    }

    static void Forward(string line) => PrintedText.Print(line + "\n");
}
